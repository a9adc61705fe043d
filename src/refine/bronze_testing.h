#pragma once

#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lake/delta/table.h"
#include "lake/parquet/data_file_stream.h"
#include "lake/parquet/parquet_file.h"
#include "simulate/faulty_store.h"
#include "simulate/memory_store.h"
#include "tables/columns.h"
#include "tables/names.h"
#include "tables/progress.h"
#include "tables/replayed_offsets.h"

// A small Bronze of real files, changed as ingest, maintenance and other programs change it.
namespace shopstream::refine::testing {

inline constexpr char kBronze[] = "bronze-events";

// A row; without a topic id, it has no coordinates.
struct BronzeRow {
  std::string topic_id;
  int32_t partition = 0;
  int64_t offset = 0;
  std::string date = "2025-10-24";
  std::string region = "EU";

  std::string EventId() const {
    return topic_id + "/" + std::to_string(partition) + "/" + std::to_string(offset);
  }
};

class Bronze {
 public:
  Bronze() {
    lake::TableSpec spec;
    spec.path = kBronze;
    spec.schema = arrow::schema(
        {arrow::field("event_id", arrow::utf8()), arrow::field(tables::kTopicId, arrow::utf8()),
         arrow::field(tables::kPartition, arrow::int32()),
         arrow::field(tables::kOffset, arrow::int64()), arrow::field("region", arrow::utf8()),
         arrow::field("date", arrow::date32())});
    spec.partition_columns = {"region", "date"};
    table_ = lake::Table::OpenOrCreate(&store_, spec).ValueOrDie();
  }

  lake::Table* table() { return table_.get(); }
  std::shared_ptr<const lake::Snapshot> snapshot() { return table_->snapshot(); }
  simulate::FaultyStore* store() { return &store_; }

  // Ingest commits these rows, and its progress behind the last of each partition.
  void Append(const std::vector<BronzeRow>& rows,
              std::map<tables::ProgressKey, int64_t> ends = {}) {
    lake::Changes changes;
    for (const BronzeRow& row : rows) {
      int64_t& end = ends[{row.topic_id, row.partition}];
      end = std::max(end, row.offset + 1);
    }
    for (const auto& [key, end] : ends) {
      const std::string app_id = tables::ProgressAppId(key.topic_id, key.partition);
      changes.txns[app_id] = std::max(end, snapshot()->Txn(app_id).value_or(0));
    }
    Commit(rows, std::move(changes));
  }
  // A replay adds quarantined records below the progress.
  void Replay(const std::vector<BronzeRow>& rows) {
    const std::string& topic_id = rows.front().topic_id;
    auto replayed = tables::ReadReplayed(*snapshot(), topic_id).ValueOrDie();
    for (const BronzeRow& row : rows) EXPECT_TRUE(replayed.Insert(row.partition, row.offset));
    lake::Changes changes;
    const std::string app_id = tables::ReplayAppId(topic_id);
    changes.txns[app_id] = snapshot()->Txn(app_id).value_or(0) + 1;
    changes.growth = {.columns = snapshot()->schema(),
                      .properties = {{tables::ReplayedProperty(topic_id), replayed.Format()}}};
    Commit(rows, std::move(changes));
  }
  // Another program appends rows of its own.
  void AppendForeign(const std::vector<BronzeRow>& rows) { Commit(rows, {}); }

  // Replaces these live files by one per partition, with a row group for each. `data_change`: as
  // another program's UPDATE would, otherwise as a compaction. Deletes the old ones if `vacuums`.
  void Rewrite(const std::vector<DataFile>& files, bool data_change, bool vacuums) {
    std::map<PartitionValues, std::vector<std::shared_ptr<arrow::RecordBatch>>> rows;
    for (const DataFile& file : files) {
      const auto read = lake::ReadDataFile(store_.inner(), kBronze, file, Stored()).ValueOrDie();
      rows[file.partition_values].push_back(read->CombineChunksToBatch().ValueOrDie());
    }
    lake::Changes changes;
    changes.written_since = BootClock::now();
    changes.removes = files;
    changes.data_change = data_change;
    for (const auto& [partition, batches] : rows) {
      const lake::StreamMemory row_group_per_batch{.bytes = 2};
      const auto writer = lake::DataFileWriter::Open(store_.inner(), kBronze, partition,
                                                     *batches.front(), {}, row_group_per_batch)
                              .ValueOrDie();
      for (const auto& batch : batches) EXPECT_TRUE(writer->Write(*batch).ok());
      changes.adds.push_back(writer->Finish().ValueOrDie().value());
    }
    Commit(std::move(changes));
    if (!vacuums) return;
    for (const DataFile& file : files) {
      EXPECT_TRUE(store_.inner()->Delete(kBronze + ("/" + file.path)).ok());
    }
  }

  std::vector<DataFile> Files() { return snapshot()->Files(); }

 private:
  static std::shared_ptr<arrow::Schema> Stored() {
    return arrow::schema({arrow::field("event_id", arrow::utf8()),
                          arrow::field(tables::kTopicId, arrow::utf8()),
                          arrow::field(tables::kPartition, arrow::int32()),
                          arrow::field(tables::kOffset, arrow::int64())});
  }

  void Commit(const std::vector<BronzeRow>& rows, lake::Changes changes) {
    std::map<PartitionValues, std::vector<const BronzeRow*>> parts;
    for (const BronzeRow& row : rows) {
      parts[{{"region", row.region}, {"date", row.date}}].push_back(&row);
    }
    if (!parts.empty()) changes.written_since = BootClock::now();
    for (const auto& [partition, part] : parts) {
      changes.adds.push_back(
          lake::WriteDataFile(store_.inner(), kBronze, partition, BatchOf(part)).ValueOrDie());
    }
    Commit(std::move(changes));
  }
  void Commit(lake::Changes changes) {
    const auto result = table_->Commit(lake::Unconditionally(std::move(changes)),
                                       BootClock::now() + Millis{10'000});
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(lake::CommitOutcome::kCommitted, result->outcome) << result->detail;
  }
  static std::shared_ptr<arrow::RecordBatch> BatchOf(const std::vector<const BronzeRow*>& rows) {
    arrow::StringBuilder ids, topics;
    arrow::Int32Builder partitions;
    arrow::Int64Builder offsets;
    for (const BronzeRow* row : rows) {
      EXPECT_TRUE(ids.Append(row->EventId()).ok());
      const bool has_coordinates = !row->topic_id.empty();
      EXPECT_TRUE((has_coordinates ? topics.Append(row->topic_id) : topics.AppendNull()).ok());
      EXPECT_TRUE(
          (has_coordinates ? partitions.Append(row->partition) : partitions.AppendNull()).ok());
      EXPECT_TRUE((has_coordinates ? offsets.Append(row->offset) : offsets.AppendNull()).ok());
    }
    return arrow::RecordBatch::Make(
        Stored(), std::ssize(rows),
        {ids.Finish().ValueOrDie(), topics.Finish().ValueOrDie(), partitions.Finish().ValueOrDie(),
         offsets.Finish().ValueOrDie()});
  }

  simulate::FaultyStore store_{std::make_unique<simulate::MemoryStore>()};
  std::unique_ptr<lake::Table> table_;
};

// Offsets [begin, end) of one partition.
inline std::vector<BronzeRow> Rows(const std::string& topic_id, int32_t partition, int64_t begin,
                                   int64_t end, const std::string& date = "2025-10-24") {
  std::vector<BronzeRow> rows;
  for (int64_t offset = begin; offset < end; ++offset) {
    rows.push_back({topic_id, partition, offset, date, offset % 2 == 0 ? "EU" : "US"});
  }
  return rows;
}

}  // namespace shopstream::refine::testing
