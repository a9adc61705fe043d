#include "ingest/catch_up.h"

#include <gtest/gtest.h>

#include "ingest/testing.h"
#include "simulate/memory_store.h"
#include "tables/progress.h"

namespace shopstream::ingest {
namespace {

constexpr char kTopicId[] = "2vEXY_6eQ4-J_Cb_JlBqbw";

PartitionProgress ReadTo(int32_t partition, int64_t next) {
  PartitionProgress progress(DecideStart(partition, 0, {.log_start = 0, .end = 1000}, false));
  progress.AdvanceTo(next);
  return progress;
}

TEST(CatchUpTest, BronzeIsThereWhereEveryTxnIs) {
  simulate::MemoryStore store;
  const auto bronze = *lake::Table::OpenOrCreate(&store, testing::EventLayout()->table);
  const auto commit = [&](int32_t partition, int64_t txn) {
    lake::Changes changes;
    changes.txns = {{tables::ProgressAppId(kTopicId, partition), txn}};
    EXPECT_EQ(
        lake::CommitOutcome::kCommitted,
        bronze->Commit(lake::Unconditionally(std::move(changes)), BootClock::now() + Millis{10'000})
            ->outcome);
  };
  // The last one is empty, though its offsets do not begin at 0.
  const CatchUpTargets targets({{0, 100}, {50, 60}, {70, 70}});
  EXPECT_FALSE(targets.ReachedBy(*bronze->snapshot(), kTopicId));
  commit(0, 100);
  commit(1, 59);
  EXPECT_FALSE(targets.ReachedBy(*bronze->snapshot(), kTopicId));
  commit(1, 75);
  EXPECT_TRUE(targets.ReachedBy(*bronze->snapshot(), kTopicId)) << "or past them";
  EXPECT_FALSE(targets.ReachedBy(*bronze->snapshot(), "another topic's id"));
}

TEST(CatchUpTest, TheLastCutIsDueWhenAllOfItIsReadAndSomeOfItUncut) {
  const CatchUpTargets targets({{0, 100}, {0, 60}});
  std::map<int32_t, PartitionProgress> partitions;
  partitions[0] = ReadTo(0, 100);
  partitions[1] = ReadTo(1, 59);
  EXPECT_FALSE(targets.JustReadBy(partitions));
  partitions[1] = ReadTo(1, 60);
  EXPECT_TRUE(targets.JustReadBy(partitions));
  Cut cut;
  for (auto& [partition, progress] : partitions) progress.Seal(&cut);
  EXPECT_FALSE(targets.JustReadBy(partitions)) << "nothing is left to cut";
  partitions[1].AdvanceTo(90);
  EXPECT_FALSE(targets.JustReadBy(partitions)) << "what came later is not waited for";
}

TEST(CatchUpTest, PartitionsThatAreNotReadOrWereAddedLaterDoNotHoldItUp) {
  const CatchUpTargets targets({{0, 100}, {0, 60}});
  std::map<int32_t, PartitionProgress> partitions;
  partitions[0] = ReadTo(0, 100);
  partitions[1] = PartitionProgress();
  partitions[2] = ReadTo(2, 1);
  EXPECT_TRUE(targets.JustReadBy(partitions));
}

}  // namespace
}  // namespace shopstream::ingest
