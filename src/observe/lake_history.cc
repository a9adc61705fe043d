#include "observe/lake_history.h"

#include <algorithm>
#include <utility>

#include "observe/lake_offsets.h"

namespace shopstream::observe {
namespace {

// `runs_ahead`: the table is committed before Bronze.
Status AddRows(lake::ObjectStore* store, const std::string& path, const lake::Snapshot& snapshot,
               const std::string& topic_id, bool runs_ahead, ProgressTicker* ticker,
               std::map<int32_t, LakeHistory>* histories) {
  const auto on_row = [&](const tables::Coordinates& row) {
    const auto found = histories->find(row.partition);
    if (found == histories->end() || row.topic_id != topic_id) return;
    LakeHistory& history = found->second;
    history.offsets.Insert(row.offset);
    if (runs_ahead) history.committed_to = std::max(history.committed_to, row.offset + 1);
    if (row.timestamp_us && history.sample.Samples(row.offset)) {
      history.sample.AddTimestamp(row.offset, *row.timestamp_us);
    }
  };
  const int64_t total = CountRows(snapshot);
  const auto on_file = [&](const RowScan& so_far) {
    return ticker->Tick("rows read from " + path, so_far.rows, total);
  };
  return ScanCoordinates(store, path, snapshot, on_row, on_file).status();
}

}  // namespace

Result<std::map<int32_t, LakeHistory>> ReadLakeHistories(
    lake::ObjectStore* store, const LakeConfig& lake, const lake::Snapshot& bronze,
    const std::string& topic_id, const std::vector<int32_t>& partitions, ProgressTicker* ticker) {
  std::map<int32_t, LakeHistory> histories;
  if (partitions.empty()) return histories;
  ARROW_ASSIGN_OR_RAISE(const auto quarantine, OpenQuarantine(store, lake.quarantine_table));
  ARROW_ASSIGN_OR_RAISE(const auto sides, OpenSideTables(store, bronze));
  int64_t rows = CountRows(bronze) + (quarantine ? CountRows(*quarantine) : 0);
  for (const SideTable& side : sides) rows += CountRows(*side.snapshot);
  for (int32_t partition : partitions) histories[partition].sample = ContentSample::OfRows(rows);
  ARROW_RETURN_NOT_OK(
      AddRows(store, lake.bronze_table, bronze, topic_id, false, ticker, &histories));
  for (const SideTable& side : sides) {
    ARROW_RETURN_NOT_OK(
        AddRows(store, side.path, *side.snapshot, topic_id, true, ticker, &histories));
  }
  if (quarantine) {
    ARROW_RETURN_NOT_OK(
        AddRows(store, lake.quarantine_table, *quarantine, topic_id, true, ticker, &histories));
  }
  return histories;
}

}  // namespace shopstream::observe
