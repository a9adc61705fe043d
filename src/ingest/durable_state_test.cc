// What Bronze keeps beside the progress outlives everything that is done to the table.

#include <arrow/buffer.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "ingest/cut_committer.h"
#include "ingest/testing.h"
#include "lake/delta/log_cleanup.h"
#include "lake/upkeep/compaction.h"
#include "lake/upkeep/vacuum.h"
#include "simulate/memory_store.h"
#include "tables/columns.h"
#include "tables/names.h"
#include "tables/partition_state.h"

namespace shopstream::ingest {
namespace {

using testing::kOct24;

constexpr char kStateTopicId[] = "2vEXY_6eQ4-J_Cb_JlBqbw";

bool StateNever() { return false; }

class DurableStateTest : public ::testing::Test {
 protected:
  DurableStateTest() {
    lake::TableSpec spec = testing::EventLayout()->table;
    spec.properties["delta.checkpointInterval"] = "2";
    bronze_ = *lake::Table::OpenOrCreate(&store_, spec);
    quarantine_ =
        *lake::Table::OpenOrCreate(&store_, tables::QuarantineSpec(tables::kQuarantinePath));
  }

  // A cut with one row, at the end of the partition's range.
  Cut MakeCut(int32_t partition, int64_t begin, int64_t end, std::optional<int64_t> fence) {
    EXPECT_EQ(testing::Add(records_.Make(partition, end - 1, testing::Event(end, "US", kOct24)),
                           schemas_, &builder_),
              std::nullopt);
    Cut cut = *builder_.Finish();
    cut.sealed_at = BootClock::now();
    cut.topic = "t";
    cut.topic_id = kStateTopicId;
    cut.progress = {{.range = {partition, begin, end}, .fence = fence, .quarantine_fence = {}}};
    tables::Position& position = cut.progress[0].position;
    position.last = {.offset = end - 1, .leader_epoch = 7, .timestamp_ms = kOct24, .hash = 1234567};
    position.end_epoch = 8;
    position.empty = tables::EmptyOffsets{.from = begin, .to = end};
    position.empty->Skip(begin, end - 1);
    return cut;
  }

  void Commit(const Cut& cut) {
    CutCommitter committer(bronze_.get(), quarantine_.get(), nullptr,
                           []() -> Result<std::string> { return kStateTopicId; }, {});
    const auto committed = committer.Commit(cut, StateNever);
    ASSERT_TRUE(committed.ok()) << committed.status();
    ASSERT_EQ(CutOutcome::kCommitted, committed->outcome);
  }

  std::vector<tables::PartitionState> States(const lake::Snapshot& snapshot) {
    std::vector<tables::PartitionState> states;
    for (int32_t partition : {0, 1, 2}) {
      states.push_back(tables::ReadPartitionState(snapshot.Txns(), kStateTopicId, partition));
    }
    return states;
  }

  simulate::MemoryStore store_;
  std::unique_ptr<lake::Table> bronze_, quarantine_;
  testing::Records records_;
  SchemaCache schemas_ = testing::EventSchemas();
  CutBuilder builder_{testing::EventLayout()};
};

TEST_F(DurableStateTest, ItOutlivesCheckpointsCompactionTheLogsCleanUpAndVacuum) {
  Commit(MakeCut(0, 5, 20, std::nullopt));
  Cut lost = MakeCut(1, 0, 30, std::nullopt);
  lost.lost = {{.partition = 1, .begin = 0, .end = 12}};
  Commit(lost);
  Cut stop = MakeCut(2, 0, 40, std::nullopt);
  stop.stops = {
      {.partition = 2,
       .fence = std::nullopt,
       .accepted = std::nullopt,
       .stop = {.reason = tables::StopReason::kTruncated, .at_ms = 77, .kafka_offset = 40}}};
  Commit(stop);
  const auto before = States(*bronze_->snapshot());
  ASSERT_TRUE(before[0].position.last);
  ASSERT_EQ(1, std::ssize(before[1].lost));
  ASSERT_TRUE(before[2].stopped());

  // Another partition continues for days.
  const std::string log = std::string(tables::kBronzePath) + "/_delta_log/";
  for (int i = 0; i < 20; ++i) {
    Commit(MakeCut(3, i, i + 1, i == 0 ? std::nullopt : std::optional<int64_t>(i)));
    bronze_ = *lake::Table::Open(&store_, tables::kBronzePath);  // Waits for the checkpoint.
  }
  ASSERT_GT(lake::Compact(bronze_.get(), {})->files_added, 0);
  bronze_ = *lake::Table::Open(&store_, tables::kBronzePath);
  ASSERT_TRUE(
      store_
          .Put(std::string(tables::kBronzePath) + "/region=US/date=2025-10-24/orphan.parquet",
               *arrow::Buffer::FromString("x"))
          .ok());
  store_.AdvanceClock(std::chrono::hours(100));
  ASSERT_GT(lake::CleanUpLog(&store_, tables::kBronzePath, bronze_->snapshot()->properties(),
                             *store_.Now(), {.min_retention = Millis{0}}, StateNever)
                ->deleted,
            0);
  ASSERT_GT(lake::Vacuum(bronze_.get(), {}, StateNever)->files, 0);
  ASSERT_EQ(nullptr, *store_.Get(log + "00000000000000000003.json")) << "its commitInfo is gone";

  const auto reopened = *lake::Table::Open(&store_, tables::kBronzePath);
  const auto after = States(*reopened->snapshot());
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i].next, after[i].next);
    EXPECT_EQ(before[i].position, after[i].position);
    EXPECT_EQ(before[i].stop, after[i].stop);
    EXPECT_EQ(before[i].lost, after[i].lost);
  }
}

}  // namespace
}  // namespace shopstream::ingest
