#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lake/parquet/data_file_stream.h"
#include "lineage/lineage.h"
#include "refine/refiner_testing.h"

namespace shopstream::lineage::testing {

using refine::testing::kBronze;
using refine::testing::kOct24;
using refine::testing::kTopicIdA;

// A lake that ingest and refine have filled.
class LineageTest : public refine::testing::RefinerTest {
 protected:
  void SetUp() override {
    RefinerTest::SetUp();
    gold_files_ = *refine::LoadGoldFiles("");
    config_.refine.gold_folder = "gold";
    options_.kafka = [this](int32_t) { return kafka_; };
  }

  RecordLineage Trace(int64_t offset, int32_t partition = 0) {
    auto records = TraceRecord(store_->inner(), config_, partition, offset, options_);
    EXPECT_TRUE(records.ok()) << records.status();
    EXPECT_EQ(1, records->size());
    return records->front();
  }

  // Merges all files of Bronze, as compaction does, with one row group for each old file.
  void Compact() {
    lake::Changes changes;
    changes.operation = "OPTIMIZE";
    changes.data_change = false;
    changes.written_since = BootClock::now();
    changes.removes = bronze_->snapshot()->Files();
    std::map<PartitionValues, std::vector<std::shared_ptr<arrow::RecordBatch>>> batches;
    for (const DataFile& file : changes.removes) {
      const auto read = *lake::ReadDataFile(store_->inner(), kBronze, file,
                                            arrow::schema(refine::testing::BronzeFields()));
      batches[file.partition_values].push_back(*read->CombineChunksToBatch());
    }
    for (const auto& [partition, rows] : batches) {
      const auto writer = *lake::DataFileWriter::Open(store_->inner(), kBronze, partition,
                                                      *rows.front(), {}, {.bytes = 2});
      for (const auto& batch : rows) EXPECT_TRUE(writer->Write(*batch).ok());
      changes.adds.push_back((*writer->Finish()).value());
    }
    refine::testing::Commit(bronze_.get(), lake::Unconditionally(changes));
  }

  Config config_;
  KafkaSpan kafka_{.topic_id = kTopicIdA, .log_start = 0, .end = 1000};
  LineageOptions options_;
};

}  // namespace shopstream::lineage::testing
