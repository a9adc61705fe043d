#include "simulate/bronze_writer.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/error_kind.h"
#include "lake/parquet/parquet_file.h"
#include "tables/names.h"
#include "tables/partition_state.h"
#include "tables/progress.h"
#include "tables/replayed_offsets.h"

namespace shopstream::simulate {
namespace {

constexpr Millis kCommitDeadline{8000};
constexpr int64_t kReplayedRows = 12;
// An idle partition tells this often how far it is complete.
constexpr int64_t kHeartbeatMs = 60'000;

Status AfterCommit(const lake::CommitResult& result) {
  if (result.outcome == lake::CommitOutcome::kUnknown) {
    return Unavailable("it is not known whether a commit took effect: ", result.detail);
  }
  return Status::OK();
}

// Where a commit expects a partition, and where it takes it.
struct CutRange {
  tables::ProgressKey key;
  std::optional<int64_t> from;
  int64_t to = 0;
};

std::optional<int64_t> ProgressOf(const lake::Snapshot& bronze, const tables::ProgressKey& key) {
  return bronze.Txn(tables::ProgressAppId(key.topic_id, key.partition));
}

}  // namespace

Result<BronzeWriter> BronzeWriter::Open(RefineWorld* world, lake::ObjectStore* store) {
  ARROW_ASSIGN_OR_RAISE(auto table, lake::Table::Open(store, kBronzeTable));
  return BronzeWriter(world, std::move(table));
}

Result<lake::Changes> BronzeWriter::WriteRows(const std::vector<BronzeRow>& rows) {
  const MoreColumns more = world_->columns;
  lake::Changes changes;
  changes.growth =
      lake::TableGrowth{.columns = BronzeSpec(kBronzeTable, more).schema, .properties = {}};
  if (rows.empty()) return changes;
  ARROW_ASSIGN_OR_RAISE(const BronzeRows made, MakeBronzeRows(rows, more));
  changes.written_since = BootClock::now();
  ARROW_ASSIGN_OR_RAISE(changes.adds, lake::WriteDataFiles(table_->store(), table_->path(),
                                                           made.rows, made.partitions));
  return changes;
}

Result<bool> BronzeWriter::CommitCut() {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, table_->Refresh());
  const int64_t through = world_->KafkaMillis();
  std::vector<BronzeRow> rows;
  std::vector<CutRange> ranges;
  for (const auto& [key, log] : world_->kafka) {
    CutRange range{.key = key, .from = ProgressOf(*snapshot, key)};
    const int64_t begin = range.from.value_or(0);
    range.to = std::min(std::ssize(log), begin + world_->plan.cut_rows);
    const auto known = tables::ReadPartitionState(snapshot->Txns(), key.topic_id, key.partition);
    const bool is_old = through - known.complete_through_ms.value_or(0) >= kHeartbeatMs;
    if (range.from && range.to == begin && !is_old) continue;
    for (int64_t offset = begin; offset < range.to; ++offset) {
      const Purchase& purchase = log[static_cast<size_t>(offset)];
      if (!purchase.quarantined) rows.push_back({purchase, key.topic_id, key.partition, offset});
    }
    ranges.push_back(std::move(range));
  }
  if (ranges.empty()) return false;
  ARROW_ASSIGN_OR_RAISE(lake::Changes changes, WriteRows(rows));
  for (const CutRange& range : ranges) {
    changes.txns[tables::ProgressAppId(range.key.topic_id, range.key.partition)] = range.to;
    if (range.to < std::ssize(world_->kafka[range.key])) continue;
    tables::PutCompleteThrough(range.key.topic_id, range.key.partition, through, &changes.txns);
  }
  const auto prepare = [&](const lake::Snapshot& bronze) -> Result<lake::ChangesOrRefusal> {
    const bool stands = std::ranges::all_of(
        ranges, [&](const CutRange& range) { return ProgressOf(bronze, range.key) == range.from; });
    if (!stands) return lake::Refusal{"another writer was faster"};
    return changes;
  };
  ARROW_ASSIGN_OR_RAISE(const auto result,
                        table_->Commit(prepare, BootClock::now() + kCommitDeadline));
  ARROW_RETURN_NOT_OK(AfterCommit(result));
  world_->trace.Count("bronze: cut", result.outcome == lake::CommitOutcome::kCommitted ? 1 : 0);
  return true;
}

Status BronzeWriter::Replay() {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, table_->Refresh());
  const std::string topic_id =
      world_->chance.Once(0.8) ? world_->topic_id : world_->kafka.begin()->first.topic_id;
  const auto replayed_of = [&](const lake::Snapshot& bronze) -> Result<tables::ReplayedOffsets> {
    const std::string* text = lake::FindProperty(bronze, tables::ReplayedProperty(topic_id));
    if (text == nullptr) return tables::ReplayedOffsets();
    return tables::ReplayedOffsets::Parse(*text);
  };
  ARROW_ASSIGN_OR_RAISE(const auto replayed, replayed_of(*snapshot));
  std::vector<BronzeRow> rows;
  tables::ReplayedOffsets brought;
  for (const auto& [key, log] : world_->kafka) {
    if (key.topic_id != topic_id) continue;
    for (int64_t offset = 0; offset < ProgressOf(*snapshot, key).value_or(0); ++offset) {
      const Purchase& purchase = log[static_cast<size_t>(offset)];
      if (!purchase.quarantined || replayed.Contains(key.partition, offset)) continue;
      if (std::ssize(rows) == kReplayedRows || world_->chance.Once(0.3)) continue;
      rows.push_back({purchase, topic_id, key.partition, offset});
      brought.Insert(key.partition, offset);
    }
  }
  if (rows.empty()) return Status::OK();
  const std::string app_id = tables::ReplayAppId(topic_id);
  const auto fence = snapshot->Txn(app_id);
  ARROW_ASSIGN_OR_RAISE(lake::Changes changes, WriteRows(rows));
  changes.txns[app_id] = fence.value_or(0) + 1;
  const auto prepare = [&](const lake::Snapshot& bronze) -> Result<lake::ChangesOrRefusal> {
    if (bronze.Txn(app_id) != fence) return lake::Refusal{"another replay was faster"};
    ARROW_ASSIGN_OR_RAISE(auto all, replayed_of(bronze));
    all.Merge(brought);
    lake::Changes merged = changes;
    merged.growth->properties[tables::ReplayedProperty(topic_id)] = all.Format();
    return merged;
  };
  ARROW_ASSIGN_OR_RAISE(const auto result,
                        table_->Commit(prepare, BootClock::now() + kCommitDeadline));
  world_->trace.Count("bronze: replay", result.outcome == lake::CommitOutcome::kCommitted ? 1 : 0);
  return AfterCommit(result);
}

Status BronzeWriter::AppendForeign(int64_t rows) {
  std::vector<BronzeRow> foreign;
  for (int64_t i = 0; i < rows; ++i) {
    foreign.push_back({world_->maker.Make(world_->KafkaMillis(), world_->columns), "", 0, {}});
  }
  ARROW_ASSIGN_OR_RAISE(lake::Changes changes, WriteRows(foreign));
  ARROW_ASSIGN_OR_RAISE(const auto result, table_->Commit(lake::Unconditionally(std::move(changes)),
                                                          BootClock::now() + kCommitDeadline));
  world_->trace.Count("bronze: foreign append",
                      result.outcome == lake::CommitOutcome::kCommitted ? 1 : 0);
  return AfterCommit(result);
}

}  // namespace shopstream::simulate
