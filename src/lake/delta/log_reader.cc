#include "lake/delta/log_reader.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/format.h"
#include "base/log.h"
#include "base/runtime.h"
#include "lake/delta/checkpoint.h"
#include "lake/delta/log_name.h"

namespace shopstream::lake {
namespace {

// Above this many entries, a checkpoint and a listing are cheaper than one read per entry.
constexpr int kMaxEntriesToAdvance = 250;
// A listing with gaps overlapped a clean-up or was not atomic; another one right after it sees
// more.
constexpr int kListings = 5;
constexpr std::chrono::milliseconds kPauseBetweenListings{50};

// What a listing of _delta_log shows, as far as it concerns a V1 reader.
struct LogListing {
  std::set<int64_t> entries;
  // Version -> number of parts (1: classic) -> paths of the parts there.
  std::map<int64_t, std::map<int64_t, std::vector<std::string>>> checkpoints;
  bool has_uuid_checkpoint = false;
};

void Note(const std::string& path, LogListing* listing) {
  const auto name = ParseLogName(path);
  if (!name) return;
  switch (name->kind) {
    case LogName::Kind::kEntry:
      listing->entries.insert(name->version);
      break;
    case LogName::Kind::kCheckpoint:
      listing->checkpoints[name->version][name->parts].push_back(path);
      break;
    case LogName::Kind::kUuidCheckpoint:
      listing->has_uuid_checkpoint = true;
      break;
    case LogName::Kind::kCompacted:  // Only repeats what the entries contain.
    case LogName::Kind::kChecksum:
      break;
  }
}

Result<LogListing> ListLog(ObjectStore* store, const std::string& table_path, int64_t from) {
  const std::string folder = LogFolder(table_path);
  // Versions have at most 19 of the 20 digits, so the first is '0'; other names are skipped.
  ARROW_ASSIGN_OR_RAISE(
      const auto objects,
      store->List(folder + "0", from > 0 ? folder + ZeroPadded(from, 20) : std::string()));
  LogListing listing;
  for (const ObjectEntry& object : objects) Note(object.path, &listing);
  return listing;
}

bool IsEmpty(const LogListing& listing) {
  return listing.entries.empty() && listing.checkpoints.empty() && !listing.has_uuid_checkpoint;
}

Status NoTable(ObjectStore* store, const std::string& table_path) {
  return Status::KeyError("there is no table ", table_path, " in ", store->Describe());
}

// What the listing showed when `version` was the newest.
LogListing AsOf(int64_t version, LogListing listing) {
  listing.entries.erase(listing.entries.upper_bound(version), listing.entries.end());
  listing.checkpoints.erase(listing.checkpoints.upper_bound(version), listing.checkpoints.end());
  return listing;
}

// A way to the newest version: a checkpoint (or none), then the entries (checkpoint, last].
struct Route {
  int64_t checkpoint = -1;
  std::vector<std::string> parts;
  int64_t last = -1;
};

// The complete checkpoints, newest first, then the route without any; only those from which the
// entries continue without a gap.
std::vector<Route> FindRoutes(const LogListing& listing) {
  const int64_t newest_entry = listing.entries.empty() ? -1 : *listing.entries.rbegin();
  // The lowest version from which entries are contiguous up to the newest.
  int64_t contiguous_from = newest_entry;
  while (listing.entries.contains(contiguous_from - 1)) --contiguous_from;

  std::vector<Route> routes;
  for (auto it = listing.checkpoints.rbegin(); it != listing.checkpoints.rend(); ++it) {
    const auto& [version, by_parts] = *it;
    if (version < newest_entry && version + 1 < contiguous_from) continue;
    for (const auto& [parts, paths] : by_parts) {
      for (auto& checkpoint : CompleteCheckpoints(parts, paths)) {
        routes.push_back({version, std::move(checkpoint), std::max(version, newest_entry)});
      }
    }
  }
  if (contiguous_from == 0) routes.push_back({-1, {}, newest_entry});
  return routes;
}

// Null: an entry was deleted after it was listed.
Result<std::shared_ptr<TableState>> Follow(ObjectStore* store, const std::string& table_path,
                                           const Route& route) {
  auto state = std::make_shared<TableState>();
  if (route.checkpoint >= 0) {
    ARROW_ASSIGN_OR_RAISE(*state, ReadCheckpoint(store, route.parts, route.checkpoint));
  }
  for (int64_t version = route.checkpoint + 1; version <= route.last; ++version) {
    ARROW_ASSIGN_OR_RAISE(const auto entry, ReadLogEntry(store, table_path, version));
    if (!entry) return nullptr;
    ARROW_RETURN_NOT_OK(state->Replay(version, *entry));
  }
  if (route.checkpoint == route.last) {
    // Another program's clean-up may have left only the checkpoint.
    ARROW_ASSIGN_OR_RAISE(const auto entry, store->Get(LogEntryPath(table_path, route.last)));
    if (entry != nullptr) state->NoteEntryDigest(EntryDigest(std::string_view(*entry)));
  }
  ARROW_RETURN_NOT_OK(state->Finish());
  return state;
}

// Tries the routes in turn; null: none worked, list again. `*failure` is the last reason.
Result<LoadedState> FollowFirst(ObjectStore* store, const std::string& table_path,
                                const std::vector<Route>& routes, Status* failure) {
  for (const Route& route : routes) {
    const auto state = Follow(store, table_path, route);
    if (state.ok()) {
      if (*state == nullptr) continue;
      return LoadedState{*state, route.checkpoint};
    }
    // No other route would help: the table is unsupported, or all routes share the entries.
    if (state.status().IsNotImplemented() || route.checkpoint < 0) return state.status();
    *failure = state.status();
    Log::Warn("{}: cannot load from checkpoint {}, trying without it: {}", table_path,
              route.checkpoint, failure->message());
  }
  return LoadedState{};
}

Status NoRoute(const std::string& table_path, const LogListing& listing) {
  if (listing.has_uuid_checkpoint) {
    return Status::NotImplemented(
        "table ", table_path,
        " keeps its checkpoints in the V2 format, which is not supported: set "
        "delta.checkpointPolicy=classic, drop the feature v2Checkpoint and write a checkpoint");
  }
  return Status::Invalid(
      "the log of table ", table_path, " is incomplete: ", FormatCount(listing.entries.size()),
      " of its entries and ", Counted(listing.checkpoints.size(), "checkpoint"),
      " are there, but not all entries from a checkpoint (or version 0) to version ",
      listing.entries.empty() ? -1 : *listing.entries.rbegin(), ": restore the missing files of ",
      LogFolder(table_path));
}

}  // namespace

Result<std::optional<LogEntry>> ReadLogEntry(ObjectStore* store, const std::string& table_path,
                                             int64_t version) {
  const std::string path = LogEntryPath(table_path, version);
  ARROW_ASSIGN_OR_RAISE(const auto content, store->Get(path));
  if (content == nullptr) return std::optional<LogEntry>();
  ARROW_ASSIGN_OR_RAISE(LogEntry entry, ParseLogEntry(std::string_view(*content), path));
  return std::optional(std::move(entry));
}

Result<LoadedState> LoadState(ObjectStore* store, const std::string& table_path) {
  ARROW_ASSIGN_OR_RAISE(const int64_t hint, ReadCheckpointHint(store, table_path));
  LogListing listing;
  Status failure;
  for (int attempt = 0; attempt < kListings; ++attempt) {
    if (attempt > 1) Sleep(kPauseBetweenListings * attempt);
    // The hint may be wrong; the second listing, from the start, does not use it.
    ARROW_ASSIGN_OR_RAISE(listing, ListLog(store, table_path, attempt == 0 ? hint : 0));
    ARROW_ASSIGN_OR_RAISE(LoadedState loaded,
                          FollowFirst(store, table_path, FindRoutes(listing), &failure));
    if (loaded.state != nullptr) return loaded;
    if (IsEmpty(listing) && (attempt > 0 || hint <= 0)) return NoTable(store, table_path);
  }
  return failure.ok() ? NoRoute(table_path, listing) : failure;
}

Result<std::shared_ptr<const TableState>> LoadStateAt(ObjectStore* store,
                                                      const std::string& table_path,
                                                      int64_t version) {
  Status failure;
  for (int attempt = 0; attempt < kListings; ++attempt) {
    if (attempt > 0) Sleep(kPauseBetweenListings * attempt);
    ARROW_ASSIGN_OR_RAISE(const LogListing listing, ListLog(store, table_path, 0));
    if (IsEmpty(listing)) return NoTable(store, table_path);
    std::vector<Route> routes = FindRoutes(AsOf(version, listing));
    std::erase_if(routes, [version](const Route& route) { return route.last != version; });
    if (routes.empty()) continue;  // The listing may have been made during a commit.
    ARROW_ASSIGN_OR_RAISE(LoadedState loaded, FollowFirst(store, table_path, routes, &failure));
    if (loaded.state != nullptr) return std::move(loaded.state);
  }
  if (failure.ok()) return nullptr;  // A clean-up overtook each attempt.
  return failure;
}

Result<LogSpan> ReadLogSpan(ObjectStore* store, const std::string& table_path) {
  LogListing listing;
  for (int attempt = 0; attempt < kListings; ++attempt) {
    if (attempt > 0) Sleep(kPauseBetweenListings * attempt);
    ARROW_ASSIGN_OR_RAISE(listing, ListLog(store, table_path, 0));
    if (IsEmpty(listing)) return NoTable(store, table_path);
    const std::vector<Route> routes = FindRoutes(listing);
    if (routes.empty()) continue;  // The listing may have been made during a commit.
    // The last one starts at the oldest checkpoint or, without any, at version 0.
    return LogSpan{std::max<int64_t>(routes.back().checkpoint, 0), routes.back().last};
  }
  return NoRoute(table_path, listing);
}

Result<std::shared_ptr<const TableState>> AdvanceState(
    ObjectStore* store, const std::string& table_path,
    const std::shared_ptr<const TableState>& from) {
  std::shared_ptr<TableState> state;
  for (int i = 0; i < kMaxEntriesToAdvance; ++i) {
    const int64_t version = (state != nullptr ? state->version() : from->version()) + 1;
    ARROW_ASSIGN_OR_RAISE(const auto entry, ReadLogEntry(store, table_path, version));
    if (!entry) {
      if (state == nullptr) return from;
      ARROW_RETURN_NOT_OK(state->Finish());
      return state;
    }
    if (state == nullptr) state = std::make_shared<TableState>(*from);
    ARROW_RETURN_NOT_OK(state->Replay(version, *entry));
  }
  return nullptr;
}

}  // namespace shopstream::lake
