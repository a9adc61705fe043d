#include "lineage/adding_commit.h"

#include <arrow/array/array_primitive.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/json.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/log_reader.h"
#include "lake/delta/table_at.h"
#include "tables/columns.h"
#include "tables/progress.h"
#include "tables/replayed_offsets.h"

namespace shopstream::lineage {
namespace {

// Clocks of writers and of storage differ by less than this.
constexpr int64_t kSlackMs = 30'000;
// A commit follows its files within this many versions, even if several writers take turns.
constexpr int64_t kMostEntries = 1'000;

using Brings = std::function<bool(const lake::LogEntry&)>;

std::string TextOf(const nlohmann::json& info, const char* name) {
  const auto found = info.is_object() ? info.find(name) : info.end();
  return found != info.end() && found->is_string() ? found->get<std::string>() : "";
}

AddingCommit Describe(int64_t version, int64_t time_ms, const lake::LogEntry& entry) {
  AddingCommit commit{.version = version,
                      .time_ms = time_ms,
                      .operation = TextOf(*entry.commit_info, "operation"),
                      .engine = TextOf(*entry.commit_info, "engineInfo"),
                      .files_added = static_cast<int64_t>(entry.adds.size())};
  for (const lake::AddFile& add : entry.adds)
    commit.rows_added += std::max<int64_t>(add.file.rows, 0);
  return commit;
}

// The newest version that is certainly older than the time; the oldest that the log has, if it
// begins later.
Result<int64_t> VersionBefore(lake::ObjectStore* store, const std::string& table, int64_t ms,
                              const lake::LogSpan& span) {
  const auto version = lake::VersionAt(store, table, ms - kSlackMs);
  if (version.ok()) return *version;
  const ErrorKind kind = KindOf(version.status());
  if (kind != ErrorKind::kGone && kind != ErrorKind::kInvalid) return version.status();
  return span.oldest;
}

// The first entry from about `ms` on that brings it.
Result<CommitSearch> FirstThat(lake::ObjectStore* store, const std::string& table, int64_t ms,
                               const Brings& brings, const std::function<bool()>& stop) {
  ARROW_ASSIGN_OR_RAISE(const lake::LogSpan span, lake::ReadLogSpan(store, table));
  ARROW_ASSIGN_OR_RAISE(const int64_t first, VersionBefore(store, table, ms, span));
  const int64_t last = std::min(span.newest, first + kMostEntries);
  for (int64_t version = first; version <= last; ++version) {
    if (stop()) return Status::Cancelled("the search of the log of ", table, " was stopped");
    ARROW_ASSIGN_OR_RAISE(const auto entry, lake::ReadLogEntry(store, table, version));
    if (!entry || !brings(*entry)) continue;
    ARROW_ASSIGN_OR_RAISE(const auto time_ms, lake::CommitTime(store, table, version));
    return CommitSearch{.commit = Describe(version, time_ms.value_or(0), *entry), .unknown = ""};
  }
  ARROW_ASSIGN_OR_RAISE(const auto oldest_ms, lake::CommitTime(store, table, span.oldest));
  std::string why = "the log of " + table + " no longer has its entry: it begins at version " +
                    FormatCount(span.oldest);
  if (oldest_ms) why += " of " + FormatTimestamp(*oldest_ms);
  return CommitSearch{.commit = {}, .unknown = std::move(why)};
}

bool Adds(const lake::LogEntry& entry, const std::string& path) {
  return std::ranges::any_of(entry.adds, [&](const auto& add) { return add.file.path == path; });
}

std::optional<int64_t> IngestedMs(const StoredRow& row) {
  const auto times = std::dynamic_pointer_cast<arrow::TimestampArray>(
      row.row->GetColumnByName(tables::kIngestedAt));
  if (times == nullptr || times->IsNull(0)) return std::nullopt;
  return times->Value(0) / 1000;
}

}  // namespace

Result<CommitSearch> FindCommitOfFile(lake::ObjectStore* store, const std::string& table,
                                      const std::string& path, const std::function<bool()>& stop) {
  ARROW_ASSIGN_OR_RAISE(const auto objects, store->List(table + "/" + path));
  if (objects.empty()) {
    return CommitSearch{.commit = {}, .unknown = table + "/" + path + " is not in storage"};
  }
  return FirstThat(
      store, table, objects[0].modified_ms,
      [&](const lake::LogEntry& entry) { return Adds(entry, path); }, stop);
}

Result<RowCommit> FindCommitOfRecord(lake::ObjectStore* store, const lake::Snapshot& snapshot,
                                     const RecordKey& key, const StoredRow& row,
                                     const std::function<bool()>& stop) {
  RowCommit found;
  ARROW_ASSIGN_OR_RAISE(const auto replayed, tables::ReadReplayed(snapshot, key.topic_id));
  found.was_replayed = replayed.Contains(key.partition, key.offset);
  const auto ingested_ms = IngestedMs(row);
  if (!ingested_ms) {
    found.search.unknown = "the row has no time of ingestion";
    return found;
  }
  const std::string app_id = found.was_replayed
                                 ? tables::ReplayAppId(key.topic_id)
                                 : tables::ProgressAppId(key.topic_id, key.partition);
  const int64_t least = found.was_replayed ? 0 : key.offset + 1;
  const lake::FilePredicate may_have = MayHave(key);
  const auto brings = [&](const lake::LogEntry& entry) {
    const bool counts = std::ranges::any_of(entry.txns, [&](const lake::Txn& txn) {
      return txn.app_id == app_id && txn.version >= least;
    });
    if (!counts) return false;
    found.moved = !Adds(entry, row.place.path);
    return std::ranges::any_of(entry.adds, [&](const lake::AddFile& add) {
      return add.data_change && may_have.MayMatch(add.file);
    });
  };
  ARROW_ASSIGN_OR_RAISE(found.search,
                        FirstThat(store, row.place.table, *ingested_ms, brings, stop));
  if (!found.search.commit) found.moved.reset();
  return found;
}

}  // namespace shopstream::lineage
