#pragma once

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lake/delta/table.h"
#include "lake/parquet/parquet_file.h"
#include "model/calendar.h"
#include "refine/columns.h"
#include "simulate/faulty_store.h"
#include "simulate/memory_store.h"
#include "tables/columns.h"
#include "tables/names.h"
#include "tables/progress.h"
#include "tables/replayed_offsets.h"

// A Bronze of purchases, for the tests of refine.
namespace shopstream::refine::testing {

inline constexpr char kBronze[] = "bronze-events";
inline constexpr char kTopicIdA[] = "topic-id-a";
inline constexpr int32_t kOct24 = 20385;  // 2025-10-24

struct Purchase {
  std::optional<std::string> id;
  int64_t offset = 0;
  int32_t partition = 0;
  std::string topic_id = kTopicIdA;
  std::string region = "EU";
  int32_t date = kOct24;
  int64_t user = 7;
  std::string product = "P1";
  int64_t quantity = 1;
  double amount = 10;
  std::string currency = "USD";
  int64_t minute = 600;  // Of the date: the event time.
  int64_t delay_s = 1;   // From there to Kafka's timestamp.
};

// Of a data file: without region and date.
inline arrow::FieldVector BronzeFields() {
  arrow::FieldVector fields = PurchaseBronzeSchema()->fields();
  fields.resize(fields.size() - 2);
  return fields;
}

inline lake::TableSpec BronzeSpec(const std::string& path = kBronze) {
  return {.path = path,
          .schema = PurchaseBronzeSchema(),
          .partition_columns = {"region", "date"},
          .properties = {}};
}

template <typename Builder, typename Value>
std::shared_ptr<arrow::Array> Column(const std::vector<Purchase>& rows, const Value& value) {
  Builder builder;
  for (const Purchase& row : rows) EXPECT_TRUE(builder.Append(value(row)).ok());
  return *builder.Finish();
}

template <typename Value>
std::shared_ptr<arrow::Array> Times(const std::vector<Purchase>& rows, const Value& seconds) {
  arrow::TimestampBuilder builder(tables::Instant(), arrow::default_memory_pool());
  for (const Purchase& row : rows) {
    EXPECT_TRUE(builder.Append((int64_t{row.date} * 86'400 + seconds(row)) * 1'000'000).ok());
  }
  return *builder.Finish();
}

// Without partition columns.
inline std::shared_ptr<arrow::RecordBatch> RowsOf(const std::vector<Purchase>& rows) {
  using Row = Purchase;
  arrow::StringBuilder ids;
  for (const Row& row : rows) {
    EXPECT_TRUE((row.id ? ids.Append(*row.id) : ids.AppendNull()).ok());
  }
  arrow::ArrayVector columns = {
      *ids.Finish(),
      Column<arrow::Int64Builder>(rows, [](const Row& row) { return row.user; }),
      Column<arrow::StringBuilder>(rows, [](const Row& row) { return row.product; }),
      Column<arrow::StringBuilder>(rows, [](const Row& row) { return "Name of " + row.product; }),
      Column<arrow::Int64Builder>(rows, [](const Row& row) { return row.quantity; }),
      Column<arrow::DoubleBuilder>(rows, [](const Row& row) { return row.amount; }),
      Column<arrow::StringBuilder>(rows, [](const Row& row) { return row.currency; }),
      Times(rows, [](const Row& row) { return row.minute * 60; }),
      Column<arrow::StringBuilder>(rows, [](const Row&) { return "purchases"; }),
      Column<arrow::StringBuilder>(rows, [](const Row& row) { return row.topic_id; }),
      Column<arrow::Int32Builder>(rows, [](const Row& row) { return row.partition; }),
      Column<arrow::Int64Builder>(rows, [](const Row& row) { return row.offset; }),
      Times(rows, [](const Row& row) { return row.minute * 60 + row.delay_s; }),
      Column<arrow::Int32Builder>(rows, [](const Row&) { return 1; }),
      Times(rows, [](const Row& row) { return row.minute * 60 + row.delay_s + 1; })};
  return arrow::RecordBatch::Make(arrow::schema(BronzeFields()), static_cast<int64_t>(rows.size()),
                                  std::move(columns));
}

// Writes data files of purchases, as ingest would.
inline std::vector<DataFile> WritePurchases(lake::ObjectStore* store,
                                            const std::vector<Purchase>& rows) {
  std::map<std::pair<std::string, int32_t>, std::vector<int32_t>> groups;
  for (size_t i = 0; i < rows.size(); ++i) {
    groups[{rows[i].region, rows[i].date}].push_back(static_cast<int32_t>(i));
  }
  std::vector<lake::PartitionRows> partitions;
  for (const auto& [key, positions] : groups) {
    partitions.push_back({{{"region", key.first}, {"date", FormatDate(key.second)}}, positions});
  }
  return *lake::WriteDataFiles(store, kBronze, RowsOf(rows), partitions);
}

inline int64_t Commit(lake::Table* table, const lake::Prepare& prepare) {
  const auto result = table->Commit(prepare, BootClock::now() + Millis{20'000});
  EXPECT_TRUE(result.ok()) << result.status();
  if (!result.ok()) return -1;
  EXPECT_EQ(lake::CommitOutcome::kCommitted, result->outcome) << result->detail;
  return result->version;
}

// Appends the rows and moves the progress of each of their partitions behind its last row.
inline void Ingest(lake::Table* bronze, const std::vector<Purchase>& rows,
                   const std::map<std::string, int64_t>& more_txns = {}) {
  lake::Changes changes;
  changes.adds = WritePurchases(bronze->store(), rows);
  changes.written_since = BootClock::now();
  changes.txns = more_txns;
  for (const Purchase& row : rows) {
    int64_t& end = changes.txns[tables::ProgressAppId(row.topic_id, row.partition)];
    end = std::max(end, row.offset + 1);
  }
  Commit(bronze, lake::Unconditionally(changes));
}

// Appends rows below the progress, as `quarantine replay` does.
inline void Replay(lake::Table* bronze, const std::vector<Purchase>& rows) {
  const auto adds = WritePurchases(bronze->store(), rows);
  Commit(bronze, [&](const lake::Snapshot& snapshot) -> Result<lake::ChangesOrRefusal> {
    const std::string property = tables::ReplayedProperty(kTopicIdA);
    const std::string* known = lake::FindProperty(snapshot, property);
    tables::ReplayedOffsets offsets;
    if (known != nullptr) offsets = *tables::ReplayedOffsets::Parse(*known);
    for (const Purchase& row : rows) offsets.Insert(row.partition, row.offset);
    lake::Changes changes;
    changes.adds = adds;
    changes.written_since = BootClock::now();
    changes.growth = lake::TableGrowth{snapshot.schema(), {{property, offsets.Format()}}};
    return changes;
  });
}

// One line per row: the values of the columns, with '|' between, sorted.
inline std::vector<std::string> ReadLines(lake::ObjectStore* store, const std::string& path,
                                          const std::vector<std::string>& columns) {
  const auto table = *lake::Table::Open(store, path);
  const auto snapshot = table->snapshot();
  std::vector<std::string> lines;
  for (const DataFile& file : snapshot->Files()) {
    const auto rows = *lake::ReadDataFile(store, path, file, snapshot->schema(), columns);
    for (int64_t row = 0; row < rows->num_rows(); ++row) {
      std::string line;
      for (const std::string& name : columns) {
        const auto value = *rows->GetColumnByName(name)->GetScalar(row);
        line += (line.empty() ? "" : "|") + (value->is_valid ? value->ToString() : "null");
      }
      lines.push_back(std::move(line));
    }
  }
  std::ranges::sort(lines);
  return lines;
}

}  // namespace shopstream::refine::testing
