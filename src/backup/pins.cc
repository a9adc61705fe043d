#include "backup/pins.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error_kind.h"
#include "base/join.h"
#include "lake/delta/existing_table.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/table_history.h"
#include "lake/delta/table_state.h"
#include "tables/complete_pass.h"
#include "tables/erased_offsets.h"
#include "tables/refine_state.h"

namespace shopstream::backup {
namespace {

constexpr int kAttempts = 5;
// From this version of the Delta protocol, a table names its features; checkpoints leave them out.
constexpr int kWriterWithFeatures = 7;

using SnapshotResult = Result<std::shared_ptr<const lake::Snapshot>>;

SnapshotResult Newest(lake::ObjectStore* store, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto table, lake::OpenExisting(store, path));
  return table->snapshot();
}

// The tables that exist, by what they are.
struct Found {
  tables::RefinedPaths refined;  // Empty paths: absent.
  std::string bronze;            // Empty: absent.
  std::vector<std::string> others;
};

Found Sort(const std::vector<std::string>& paths, const LakeConfig& lake,
           const RefineConfig& refine) {
  Found found;
  for (const std::string& path : paths) {
    if (path.starts_with(refine.gold_folder + "/")) {
      found.refined.gold.push_back(path);
    } else if (path == refine.silver_table) {
      found.refined.silver = path;
    } else if (path == refine.rejects_table) {
      found.refined.rejects = path;
    } else if (path == lake.bronze_table) {
      found.bronze = path;
    } else {
      found.others.push_back(path);
    }
  }
  return found;
}

Status PinNewest(lake::ObjectStore* store, const std::string& path,
                 std::vector<PinnedTable>* pins) {
  if (path.empty()) return Status::OK();
  auto snapshot = Newest(store, path);
  if (!snapshot.ok()) {
    const Status& failure = snapshot.status();
    return failure.WithMessage("the table ", path, ": ", failure.message());
  }
  const auto& protocol = lake::StateOf(**snapshot).protocol();
  if (protocol.min_writer_version >= kWriterWithFeatures) {
    return Status::NotImplemented(
        "the table ", path, " requires Delta writer version ", protocol.min_writer_version,
        " (features: ", Joined(protocol.writer_features, ", "),
        "), which a backup cannot keep: drop the features (ALTER TABLE ", "... DROP FEATURE)");
  }
  pins->push_back({path, *std::move(snapshot)});
  return Status::OK();
}

bool IsSideTable(const std::string& path, const LakeConfig& lake) {
  return path == lake.quarantine_table || path.starts_with(lake.bronze_table + "-");
}

// The tables that exist now besides those of refine and Bronze: a row that Bronze has may be in a
// side table that ingest created meanwhile.
Status PinOthers(lake::ObjectStore* store, const LakeConfig& lake, const RefineConfig& refine,
                 Pins* pins) {
  ARROW_ASSIGN_OR_RAISE(const auto paths, FindTablesWithLogs(store));
  for (const std::string& path : Sort(paths, lake, refine).others) {
    const Status pinned = PinNewest(store, path, &pins->tables);
    if (pinned.ok()) continue;
    const ErrorKind kind = KindOf(pinned);
    const bool is_unreadable = kind == ErrorKind::kInvalid || kind == ErrorKind::kCorrupt;
    if (IsSideTable(path, lake) || !is_unreadable) return pinned;
    pins->left_out[path] = pinned.message();
  }
  return Status::OK();
}

// Gold, Silver and rejects at their newest versions, read in this order.
Result<std::vector<PinnedTable>> PinNewestRefined(lake::ObjectStore* store,
                                                  const tables::RefinedPaths& paths) {
  std::vector<PinnedTable> pins;
  for (const std::string& gold : paths.gold) ARROW_RETURN_NOT_OK(PinNewest(store, gold, &pins));
  ARROW_RETURN_NOT_OK(PinNewest(store, paths.silver, &pins));
  ARROW_RETURN_NOT_OK(PinNewest(store, paths.rejects, &pins));
  return pins;
}

// The same at the last pass that all of them have. Nothing: a log no longer has that version, not
// all of the tables exist yet, or a task is open, of which only the newest rejects know.
Result<std::optional<std::vector<PinnedTable>>> PinPass(lake::ObjectStore* store,
                                                        const tables::RefinedPaths& paths) {
  if (paths.silver.empty() || paths.rejects.empty()) return std::nullopt;
  auto pass = tables::ReadCompletePass(
      store, paths, [store](const std::string& path) { return Newest(store, path); });
  if (!pass.ok() && KindOf(pass.status()) == ErrorKind::kGone) return std::nullopt;
  ARROW_RETURN_NOT_OK(pass.status());
  ARROW_ASSIGN_OR_RAISE(const auto rejects, Newest(store, paths.rejects));
  if (tables::RefineTaskPass(*rejects) > pass->pass) return std::nullopt;
  std::vector<PinnedTable> pins;
  std::vector<std::string> order = paths.gold;
  order.push_back(paths.silver);
  order.push_back(paths.rejects);
  for (const std::string& path : order) {
    const auto at = pass->tables.find(path);
    if (at != pass->tables.end()) pins.push_back({path, std::move(at->second)});
  }
  return pins;
}

int64_t PassOf(const std::vector<PinnedTable>& pins, const std::string& path) {
  const auto pin = std::ranges::find(pins, path, &PinnedTable::path);
  return pin == pins.end() ? 0 : tables::RefinePass(*pin->snapshot).value_or(0);
}

// Rejects are at most one pass ahead of every table that is still being filled, as after a crash.
bool IsWithinAPass(const std::vector<PinnedTable>& pins, const tables::RefinedPaths& paths,
                   const std::vector<PinnedTable>& before) {
  const int64_t rejects = PassOf(pins, paths.rejects);
  if (!paths.silver.empty() && PassOf(pins, paths.silver) < rejects - 1) return false;
  return std::ranges::all_of(paths.gold, [&](const std::string& gold) {
    // One that fell further behind is no longer filled, and stays where it is.
    return PassOf(pins, gold) >= rejects - 1 || PassOf(before, gold) == PassOf(pins, gold);
  });
}

// The last erase that is done with Bronze: its number, and when it was reserved.
Result<std::pair<int64_t, int64_t>> LastEraseOf(lake::ObjectStore* store, const std::string& path) {
  if (path.empty()) return std::pair<int64_t, int64_t>();
  ARROW_ASSIGN_OR_RAISE(const auto bronze, Newest(store, path));
  ARROW_ASSIGN_OR_RAISE(const tables::LastErase erase, tables::ReadLastErase(*bronze));
  return std::pair(erase.task, erase.at_ms);
}

// Nothing: the tables moved meanwhile; look again.
Result<std::optional<Pins>> TryPin(lake::ObjectStore* store, const LakeConfig& lake,
                                   const RefineConfig& refine, PinFrom from, const Found& found) {
  Pins pins;
  ARROW_ASSIGN_OR_RAISE(const auto erase_before, LastEraseOf(store, found.bronze));
  std::optional<std::vector<PinnedTable>> refined;
  if (from == PinFrom::kCompletePass) {
    ARROW_ASSIGN_OR_RAISE(refined, PinPass(store, found.refined));
  }
  if (refined) {
    pins.tables = *std::move(refined);
  } else {
    ARROW_ASSIGN_OR_RAISE(const auto before, PinNewestRefined(store, found.refined));
    ARROW_ASSIGN_OR_RAISE(pins.tables, PinNewestRefined(store, found.refined));
    if (!IsWithinAPass(pins.tables, found.refined, before)) return std::nullopt;
  }
  ARROW_RETURN_NOT_OK(PinNewest(store, found.bronze, &pins.tables));
  // An erase begins with Bronze: the tables before it may not know of one that came meanwhile.
  ARROW_ASSIGN_OR_RAISE(const auto erase_after, LastEraseOf(store, found.bronze));
  if (erase_before != erase_after) return std::nullopt;
  ARROW_RETURN_NOT_OK(PinOthers(store, lake, refine, &pins));
  return pins;
}

}  // namespace

bool IsOfPipeline(const std::string& path, const LakeConfig& lake, const RefineConfig& refine) {
  return path == lake.bronze_table || IsSideTable(path, lake) || path == refine.silver_table ||
         path == refine.rejects_table || path.starts_with(refine.gold_folder + "/");
}

Result<std::vector<std::string>> FindTablesWithLogs(lake::ObjectStore* store) {
  ARROW_ASSIGN_OR_RAISE(const auto paths, lake::FindTables(store));
  std::vector<std::string> tables;
  for (const std::string& path : paths) {
    ARROW_ASSIGN_OR_RAISE(const auto objects, store->List(lake::LogFolder(path)));
    if (!objects.empty()) tables.push_back(path);
  }
  return tables;
}

Result<Pins> PinTables(lake::ObjectStore* store, const LakeConfig& lake, const RefineConfig& refine,
                       PinFrom from) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    ARROW_ASSIGN_OR_RAISE(const auto paths, FindTablesWithLogs(store));
    if (paths.empty()) {
      return Gone("there is no table in ", store->Describe(), ": correct lake.uri");
    }
    ARROW_ASSIGN_OR_RAISE(auto pins, TryPin(store, lake, refine, from, Sort(paths, lake, refine)));
    if (pins) return *std::move(pins);
  }
  return Unavailable("the tables of ", store->Describe(), " change too fast to be pinned together ",
                     "(", kAttempts, " attempts): try again when refine has less to do");
}

}  // namespace shopstream::backup
