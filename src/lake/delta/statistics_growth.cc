#include "lake/delta/statistics_growth.h"

#include <string>
#include <unordered_set>
#include <utility>

#include "base/json.h"
#include "lake/parquet/column_statistics.h"

namespace shopstream::lake {
namespace {

bool Complete(const std::vector<ColumnFacts>& missing, const arrow::Schema& table, AddFile* add) {
  auto completed = CompletedStatistics(add->file.statistics, missing, table);
  if (!completed) return false;
  add->file.statistics = *std::move(completed);
  return true;
}

// Partition columns have no statistics.
std::vector<ColumnFacts> Missing(const TableState& base, const arrow::Schema& have,
                                 const arrow::Schema& table) {
  if (have.Equals(table)) return {};
  std::vector<ColumnFacts> missing = NewColumns(have, table);
  for (const std::string& column : base.partition_columns()) {
    std::erase_if(missing, [&](const ColumnFacts& facts) { return facts.path[0] == column; });
  }
  return missing;
}

}  // namespace

void CompleteStatistics(const TableState& base, const arrow::Schema& written,
                        const arrow::Schema& table, LogEntry* entry) {
  const auto not_written = Missing(base, written, table);
  for (AddFile& add : entry->adds) Complete(not_written, table, &add);
  const auto added = Missing(base, *base.schema(), table);
  if (added.empty()) return;
  std::unordered_set<std::string> named;  // A path occurs only once in an entry.
  for (const AddFile& add : entry->adds) named.insert(add.file.path);
  for (const RemoveFile& remove : entry->removes) named.insert(remove.path);
  base.ForEachAdd([&](const AddFile& live) {
    if (named.contains(live.file.path)) return;
    AddFile again = live;
    if (!Complete(added, table, &again)) return;
    again.data_change = false;
    entry->adds.push_back(std::move(again));
    entry->commit_info["isBlindAppend"] = false;
  });
}

}  // namespace shopstream::lake
