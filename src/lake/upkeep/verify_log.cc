#include "lake/upkeep/verify_log.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error_kind.h"
#include "base/json.h"
#include "base/runtime.h"
#include "lake/delta/checkpoint.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/log_name.h"
#include "lake/delta/log_reader.h"
#include "lake/delta/parsed_statistics.h"
#include "lake/delta/retention.h"
#include "lake/delta/table_state.h"
#include "lake/upkeep/verify_entry.h"

namespace shopstream::lake {
namespace {

using nlohmann::json;

using OnFault = std::function<void(const std::string& path, const std::string& reason)>;

// Maximum number of paths named for one difference; the others are counted.
constexpr int64_t kNamedPaths = 5;
// A listing that overlapped a clean-up has gaps; another one does not.
constexpr int kMostListings = 3;
constexpr Millis kPauseBeforeListing{200};

struct Checkpoint {
  std::vector<std::string> parts;
  std::set<int64_t> part_counts;  // Number of parts of each complete checkpoint of this version.
  int64_t modified_ms = 0;
};

struct Log {
  std::set<int64_t> entries;
  std::map<int64_t, Checkpoint> checkpoints;  // Complete ones.
};

Result<Log> ListWholeLog(ObjectStore* store, const std::string& table_path) {
  ARROW_ASSIGN_OR_RAISE(const auto objects, store->List(LogFolder(table_path) + "0"));
  Log log;
  std::map<int64_t, std::map<int64_t, std::vector<std::string>>> by_parts;
  std::map<std::string, int64_t> modified_ms;
  for (const ObjectEntry& object : objects) {
    const auto name = ParseLogName(object.path);
    if (!name) continue;
    if (name->kind == LogName::Kind::kEntry) log.entries.insert(name->version);
    if (name->kind != LogName::Kind::kCheckpoint) continue;
    by_parts[name->version][name->parts].push_back(object.path);
    modified_ms[object.path] = object.modified_ms;
  }
  for (const auto& [version, candidates] : by_parts) {
    for (const auto& [parts, paths] : candidates) {
      const auto complete = CompleteCheckpoints(parts, paths);
      if (complete.empty()) continue;
      Checkpoint& checkpoint = log.checkpoints[version];
      checkpoint.part_counts.insert(parts);
      if (!checkpoint.parts.empty()) continue;
      checkpoint.parts = complete[0];
      for (const std::string& part : checkpoint.parts) {
        checkpoint.modified_ms = std::max(checkpoint.modified_ms, modified_ms[part]);
      }
    }
  }
  return log;
}

// The versions of missing entries: between others, right after the newest checkpoint, or at the
// very beginning if no checkpoint replaces them. As ranges [first, last].
std::vector<std::pair<int64_t, int64_t>> Gaps(const Log& log) {
  std::vector<std::pair<int64_t, int64_t>> gaps;
  int64_t before = log.checkpoints.empty() ? -1 : log.checkpoints.rbegin()->first;
  if (!log.entries.empty() && *log.entries.begin() <= before) before = *log.entries.begin() - 1;
  for (const int64_t version : log.entries) {
    if (version > before + 1) gaps.emplace_back(before + 1, version - 1);
    before = version;
  }
  return gaps;
}

// Names a few of the differing paths and counts the rest.
class PathList {
 public:
  void Add(const std::string& path) {
    if (count_++ < kNamedPaths) names_ += (names_.empty() ? "" : ", ") + path;
  }
  bool empty() const { return count_ == 0; }
  std::string Text() const {
    if (count_ <= kNamedPaths) return names_;
    return names_ + " and " + std::to_string(count_ - kNamedPaths) + " more";
  }

 private:
  int64_t count_ = 0;
  std::string names_;
};

uint64_t TextHash(const std::string& text) { return std::hash<std::string>{}(text); }

// What must be equal in an action, besides its path. Statistics are compared separately, because a
// checkpoint may store them in another form.
std::string Described(const AddFile& add) {
  std::string text = std::to_string(add.file.size_bytes) + ' ' +
                     std::to_string(add.file.modified_ms) + ' ' + add.tags;
  for (const auto& [column, value] : add.file.partition_values) {
    text += '\n' + column + '=' + value.value_or("");
  }
  return text;
}

// Path, content and statistics of a live file, as hashes: 24 bytes for each of two states.
struct FilePrint {
  uint64_t path;
  uint64_t content;
  uint64_t statistics;  // 0: none.

  static FilePrint Of(const AddFile& add) {
    return {TextHash(add.file.path), TextHash(Described(add)),
            add.file.statistics.empty() ? 0 : TextHash(PlainStatistics(add.file.statistics))};
  }
  bool Agrees(const FilePrint& other) const {
    const bool same_statistics =
        statistics == 0 || other.statistics == 0 || statistics == other.statistics;
    return content == other.content && same_statistics;
  }
};

std::vector<FilePrint> Prints(const TableState& state) {
  std::vector<FilePrint> prints;
  state.ForEachAdd([&prints](const AddFile& add) { prints.push_back(FilePrint::Of(add)); });
  std::sort(prints.begin(), prints.end(),
            [](const FilePrint& a, const FilePrint& b) { return a.path < b.path; });
  return prints;
}

const FilePrint* FindPrint(const std::vector<FilePrint>& prints, uint64_t path) {
  const auto it =
      std::lower_bound(prints.begin(), prints.end(), path,
                       [](const FilePrint& print, uint64_t wanted) { return print.path < wanted; });
  return it == prints.end() || it->path != path ? nullptr : &*it;
}

void CompareFiles(const TableState& replayed, const TableState& kept,
                  const std::function<void(const std::string&)>& differ) {
  PathList other;
  PathList extra;
  PathList missing;
  PathList twice;
  const auto expected = Prints(replayed);
  kept.ForEachAdd([&](const AddFile& add) {
    const FilePrint print = FilePrint::Of(add);
    const FilePrint* found = FindPrint(expected, print.path);
    if (found == nullptr) extra.Add(add.file.path);
    if (found != nullptr && !found->Agrees(print)) other.Add(add.file.path);
  });
  const auto actual = Prints(kept);
  replayed.ForEachAdd([&](const AddFile& add) {
    if (FindPrint(actual, TextHash(add.file.path)) == nullptr) missing.Add(add.file.path);
  });
  const auto same_path = [](const FilePrint& a, const FilePrint& b) { return a.path == b.path; };
  if (std::adjacent_find(actual.begin(), actual.end(), same_path) != actual.end()) {
    differ("it names a file twice");
  }
  if (!missing.empty()) differ("it lacks files that the entries add: " + missing.Text());
  if (!extra.empty()) differ("it names files that the entries do not: " + extra.Text());
  if (!other.empty())
    differ("its information about files differs from the entries: " + other.Text());
}

// A checkpoint omits tombstones that had expired when it was written, and no others.
void CompareTombstones(const TableState& replayed, const TableState& kept, int64_t written_ms,
                       const std::function<void(const std::string&)>& differ) {
  std::set<uint64_t> in_checkpoint;
  kept.ForEachTombstone(
      [&](const RemoveFile& remove) { in_checkpoint.insert(TextHash(remove.path)); });
  std::set<uint64_t> in_entries;
  PathList missing;
  const int64_t oldest = written_ms - TombstoneRetentionMs(kept.properties());
  replayed.ForEachTombstone([&](const RemoveFile& remove) {
    in_entries.insert(TextHash(remove.path));
    const bool there = in_checkpoint.contains(TextHash(remove.path));
    if (!there && remove.deleted_ms > oldest) missing.Add(remove.path);
  });
  PathList extra;
  kept.ForEachTombstone([&](const RemoveFile& remove) {
    if (!in_entries.contains(TextHash(remove.path))) extra.Add(remove.path);
  });
  if (!missing.empty()) differ("it lacks recently removed files: " + missing.Text());
  if (!extra.empty()) differ("it names removed files that the entries do not: " + extra.Text());
}

void CompareStates(const TableState& replayed, const TableState& kept, int64_t written_ms,
                   const std::function<void(const std::string&)>& differ) {
  if (replayed.protocol() != kept.protocol()) differ("its protocol is not that of the entries");
  if (replayed.metadata() != kept.metadata()) differ("its metaData is not that of the entries");
  if (replayed.Txns() != kept.Txns()) differ("its txns are not those of the entries");
  CompareFiles(replayed, kept, differ);
  CompareTombstones(replayed, kept, written_ms, differ);
}

// Replays the log once from its oldest readable version and compares each checkpoint on the way.
class Follower {
 public:
  Follower(ObjectStore* store, const std::string& table_path, const Log& log, const OnFault& find,
           const std::function<void(int64_t, int64_t)>& progress, const std::function<bool()>& stop)
      : store_(store),
        table_path_(table_path),
        log_(log),
        find_(find),
        progress_(progress),
        stop_(stop) {}

  // Starts at the checkpoint of `from` (-1: before version 0) and stops at the newest checkpoint.
  Status Run(int64_t from) {
    if (from >= 0) {
      ARROW_ASSIGN_OR_RAISE(const auto start, Read(from));
      if (!start) return Status::OK();
      state_ = *start;
    }
    const int64_t last = log_.checkpoints.rbegin()->first;
    for (int64_t version = from + 1; version <= last && !stop_(); ++version) {
      progress_(version - from, last - from);
      ARROW_ASSIGN_OR_RAISE(const bool replayed, Replay(version));
      if (!replayed) return Status::OK();  // Already reported; nothing after it can be checked.
      if (log_.checkpoints.contains(version)) ARROW_RETURN_NOT_OK(CompareAt(version));
    }
    return Status::OK();
  }
  int64_t compared() const { return compared_; }

 private:
  // Nothing: it cannot be read, which has been reported.
  Result<std::optional<TableState>> Read(int64_t version) {
    const Checkpoint& checkpoint = log_.checkpoints.at(version);
    auto state = ReadCheckpoint(store_, checkpoint.parts, version);
    if (state.ok()) {
      const Status finished = state->Finish();
      if (finished.ok()) return std::optional(*std::move(state));
      state = finished;
    }
    // A store that is down, or an earlier clean-up, is not damage.
    ARROW_ASSIGN_OR_RAISE(const auto there, store_->List(checkpoint.parts[0]));
    if (!there.empty()) find_(checkpoint.parts[0], state.status().message());
    return std::optional<TableState>();
  }

  Result<bool> Replay(int64_t version) {
    const auto entry = ReadLogEntry(store_, table_path_, version);
    // An entry that could not be fetched is not a finding about the table.
    if (!entry.ok() && KindOf(entry.status()) != ErrorKind::kInvalid) return entry.status();
    Status status = entry.status();
    if (entry.ok()) {
      if (!*entry) return false;  // Cleaned up meanwhile.
      status = state_.Replay(version, **entry);
    }
    if (!status.ok()) find_(LogEntryPath(table_path_, version), status.message());
    return status.ok();
  }

  Status CompareAt(int64_t version) {
    if (const Status status = state_.Finish(); !status.ok()) {
      find_(LogEntryPath(table_path_, version), status.message());
      return Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(const auto kept, Read(version));
    if (!kept) return Status::OK();
    const Checkpoint& checkpoint = log_.checkpoints.at(version);
    CompareStates(state_, *kept, checkpoint.modified_ms,
                  [&](const std::string& reason) { find_(checkpoint.parts[0], reason); });
    ++compared_;
    return Status::OK();
  }

  ObjectStore* const store_;
  const std::string& table_path_;
  const Log& log_;
  const OnFault& find_;
  const std::function<void(int64_t, int64_t)>& progress_;
  const std::function<bool()>& stop_;
  TableState state_;
  int64_t compared_ = 0;
};

// Where to start so that entries lead to the newest checkpoint: at the checkpoint before it or, for
// all, as far back as they go. Nothing: only the newest checkpoint is available.
std::optional<int64_t> StartOf(const Log& log, bool all_checkpoints) {
  if (log.checkpoints.empty()) return std::nullopt;
  std::optional<int64_t> start;
  const int64_t newest = log.checkpoints.rbegin()->first;
  int64_t from = newest;  // Entries from here lead to the newest.
  while (from > 0 && log.entries.contains(from) && log.entries.contains(from - 1)) --from;
  if (!log.entries.contains(newest)) return std::nullopt;
  for (auto it = std::next(log.checkpoints.rbegin()); it != log.checkpoints.rend(); ++it) {
    if (it->first + 1 < from) break;
    start = it->first;
    if (!all_checkpoints) return start;
  }
  return from == 0 ? std::optional<int64_t>(-1) : start;
}

// Checks each entry that a reader of the newest version may read against the protocol; for `all`,
// every entry that still exists.
Status CheckEntries(ObjectStore* store, const std::string& table_path, const Log& log,
                    std::optional<std::vector<std::string>> partition_columns, bool all,
                    const OnFault& find, const std::function<bool()>& stop) {
  int64_t from = 0;
  if (!all && !log.checkpoints.empty()) {
    from = StartOf(log, false).value_or(log.checkpoints.rbegin()->first) + 1;
  }
  for (auto it = log.entries.lower_bound(from); it != log.entries.end() && !stop(); ++it) {
    const std::string path = LogEntryPath(table_path, *it);
    ARROW_ASSIGN_OR_RAISE(const auto content, store->Get(path));
    if (content == nullptr) continue;  // Cleaned up meanwhile.
    CheckEntryForm(std::string_view(*content), &partition_columns,
                   [&](const std::string& reason) { find(path, reason); });
  }
  return Status::OK();
}

// The fault in a hint's text; empty: none. Readers ignore a hint that they cannot parse, but follow
// one that they can.
std::string HintFault(const json& hint) {
  const auto is_count = [&hint](const char* name) {
    return hint.contains(name) && hint[name].is_number_integer() && hint[name] >= 0;
  };
  if (!hint.is_object()) return "it is not a JSON object";
  if (!is_count("version")) return "it names no version";
  if (!is_count("size")) return "it lacks the size of the checkpoint, a number of actions";
  if (hint.contains("parts") && !is_count("parts")) {
    return "its number of parts is " + hint["parts"].dump();
  }
  return "";
}

// A number that the hint gives; `otherwise` if it gives none.
int64_t HintedNumber(const json& hint, const char* name, int64_t otherwise) {
  const bool given = hint.is_object() && hint.contains(name) && hint[name].is_number_integer();
  return given ? hint[name].get<int64_t>() : otherwise;
}

Status CheckHint(ObjectStore* store, const std::string& table_path, const Log& log,
                 const OnFault& find) {
  const std::string path = LogFolder(table_path) + "_last_checkpoint";
  ARROW_ASSIGN_OR_RAISE(const auto content, store->Get(path));
  if (content == nullptr) return Status::OK();
  const json text = ParseJson(std::string_view(*content));
  if (const std::string fault = HintFault(text); !fault.empty()) find(path, fault);
  const int64_t hint = HintedNumber(text, "version", -1);
  if (hint < 0) return Status::OK();
  if (const auto found = log.checkpoints.find(hint); found != log.checkpoints.end()) {
    const int64_t parts = HintedNumber(text, "parts", 1);
    if (!found->second.part_counts.contains(parts)) {
      find(path, "it names a checkpoint of version " + std::to_string(hint) + " in " +
                     std::to_string(parts) + " parts, which does not exist");
    }
    return Status::OK();
  }
  // One that was not listed, and the hint for it, may have been written meanwhile.
  ARROW_ASSIGN_OR_RAISE(const Log now, ListWholeLog(store, table_path));
  if (!now.checkpoints.contains(hint)) {
    find(path,
         "it names the checkpoint of version " + std::to_string(hint) + ", which does not exist");
  }
  return Status::OK();
}

}  // namespace

Result<LogCheck> CheckLog(ObjectStore* store, const std::string& table_path, bool all_checkpoints,
                          const std::optional<std::vector<std::string>>& partition_columns,
                          const OnFault& find,
                          const std::function<void(int64_t, int64_t)>& progress,
                          const std::function<bool()>& stop) {
  Log log;
  std::vector<std::pair<int64_t, int64_t>> gaps;
  for (int listing = 0; listing < kMostListings && !stop(); ++listing) {
    if (listing > 0) Sleep(kPauseBeforeListing);
    ARROW_ASSIGN_OR_RAISE(log, ListWholeLog(store, table_path));
    gaps = Gaps(log);
    if (gaps.empty()) break;
  }
  for (const auto& [first, last] : gaps) {
    find(LogEntryPath(table_path, first),
         first == last ? "this entry is missing from the log"
                       : "the entries of versions " + std::to_string(first) + " to " +
                             std::to_string(last) + " are missing from the log");
  }
  ARROW_RETURN_NOT_OK(CheckHint(store, table_path, log, find));
  ARROW_RETURN_NOT_OK(
      CheckEntries(store, table_path, log, partition_columns, all_checkpoints, find, stop));
  LogCheck check;
  check.entries = static_cast<int64_t>(log.entries.size());
  check.checkpoints = static_cast<int64_t>(log.checkpoints.size());
  if (const auto start = StartOf(log, all_checkpoints)) {
    Follower follower(store, table_path, log, find, progress, stop);
    ARROW_RETURN_NOT_OK(follower.Run(*start));
    check.checkpoints_compared = follower.compared();
  }
  return check;
}

}  // namespace shopstream::lake
