#include "refine/gold_table.h"

#include <arrow/table.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/log.h"
#include "base/runtime.h"
#include "lake/parquet/parquet_file.h"
#include "tables/columns.h"

namespace shopstream::refine {
namespace {

constexpr size_t kParallelReads = 8;  // Each costs round trips, and hardly any work.

}  // namespace

bool IsBuilt(const lake::Snapshot& gold, const GoldFile& file) {
  const std::string* const hash = lake::FindProperty(gold, kGoldSqlProperty);
  return tables::RefinePass(gold) && hash != nullptr && *hash == file.hash;
}

tables::RefineStanding GoldStanding(const tables::RefineStanding& silver) {
  tables::RefineStanding gold;
  gold.pass = silver.pass.value_or(0);
  gold.complete_through_ms = silver.complete_through_ms;
  gold.author = silver.author;
  return gold;
}

Result<std::map<Date, std::vector<DataFile>>> FilesOf(const lake::Snapshot& gold,
                                                      const std::vector<Date>& dates) {
  std::map<Date, std::vector<DataFile>> files;
  for (const Date& date : dates) files[date];
  Status status;
  gold.VisitFiles([&](const DataFile& file) {
    if (!status.ok()) return;
    const auto date = DateOf(file);
    status = date.status();
    if (!status.ok()) return;
    const auto found = files.find(*date);
    if (found != files.end()) found->second.push_back(file);
  });
  ARROW_RETURN_NOT_OK(status);
  for (auto& [date, of_date] : files) std::ranges::sort(of_date, {}, &DataFile::path);
  return files;
}

Result<std::shared_ptr<arrow::RecordBatch>> ReadRows(
    lake::ObjectStore* store, const std::string& table_path, const std::vector<DataFile>& files,
    const std::shared_ptr<arrow::Schema>& columns) {
  if (files.empty()) return arrow::RecordBatch::MakeEmpty(columns);
  std::vector<Result<std::shared_ptr<arrow::Table>>> tables(files.size(), nullptr);
  std::atomic<size_t> next = 0;
  const auto read = [&] {
    for (size_t i = next++; i < files.size(); i = next++) {
      tables[i] = lake::ReadDataFile(store, table_path, files[i], columns, columns->field_names());
    }
  };
  std::vector<Thread> others(store->IsRemote() ? std::min(files.size(), kParallelReads) - 1 : 0);
  for (Thread& other : others) other = Thread(read);
  read();
  for (Thread& other : others) other.join();
  std::vector<std::shared_ptr<arrow::Table>> all;
  for (auto& table : tables) {
    ARROW_ASSIGN_OR_RAISE(all.emplace_back(), std::move(table));
  }
  ARROW_ASSIGN_OR_RAISE(const auto table, arrow::ConcatenateTables(all));
  return table->CombineChunksToBatch();
}

Result<std::vector<DataFile>> WriteDates(lake::ObjectStore* store, const std::string& table_path,
                                         const std::shared_ptr<arrow::RecordBatch>& rows) {
  if (rows->num_rows() == 0) return std::vector<DataFile>();
  ARROW_ASSIGN_OR_RAISE(auto by_date, RowsByDate(*rows));
  std::vector<lake::PartitionRows> partitions;
  for (auto& [date, positions] : by_date) {
    partitions.push_back({PartitionOf(date), std::move(positions)});
  }
  ARROW_ASSIGN_OR_RAISE(const auto stored,
                        rows->RemoveColumn(rows->schema()->GetFieldIndex(tables::kDate)));
  return lake::WriteDataFiles(store, table_path, stored, partitions);
}

void Discard(lake::ObjectStore* store, const std::string& table_path,
             const std::vector<DataFile>& files) {
  for (const DataFile& file : files) {
    const Status status = store->Delete(table_path + "/" + file.path);
    if (!status.ok())
      Log::Debug("{}/{} is left to vacuum: {}", table_path, file.path, status.message());
  }
}

}  // namespace shopstream::refine
