#include "ingest/catch_up.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/testing.h"
#include "simulate/kafka.h"
#include "simulate/memory_store.h"
#include "simulate/scheduler.h"
#include "tables/partition_state.h"
#include "tables/progress.h"

namespace shopstream::ingest {
namespace {

constexpr char kTopicId[] = "2vEXY_6eQ4-J_Cb_JlBqbw";

PartitionProgress ReadTo(int32_t partition, int64_t next) {
  PartitionProgress progress(testing::StartAfter(partition, 0, {.log_start = 0, .end = 1000}));
  progress.AdvanceTo(next);
  return progress;
}

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class CatchUpTest : public ::testing::Test {
 protected:
  void Commit(std::map<std::string, int64_t> txns) {
    lake::Changes changes;
    changes.txns = std::move(txns);
    EXPECT_EQ(
        lake::CommitOutcome::kCommitted,
        bronze_
            ->Commit(lake::Unconditionally(std::move(changes)), BootClock::now() + Millis{10'000})
            ->outcome);
  }
  void Commit(int32_t partition, int64_t txn) {
    Commit({{tables::ProgressAppId(kTopicId, partition), txn}});
  }
  std::map<int32_t, std::optional<int64_t>> Unreached(const std::string& topic_id = kTopicId) {
    return targets_.Unreached(*bronze_->snapshot(), topic_id);
  }

  simulate::MemoryStore store_;
  std::unique_ptr<lake::Table> bronze_ =
      *lake::Table::OpenOrCreate(&store_, testing::EventLayout()->table);
  // The last one is empty, though its offsets do not begin at 0.
  CatchUpTargets targets_{{{0, 100}, {50, 60}, {70, 70}}};
};

TEST_F(CatchUpTest, BronzeIsThereWhereEveryTxnIs) {
  EXPECT_THAT(Unreached(),
              ElementsAre(Pair(0, std::nullopt), Pair(1, std::nullopt), Pair(2, std::nullopt)));
  Commit(0, 100);
  Commit(1, 59);
  EXPECT_THAT(Unreached(), ElementsAre(Pair(1, 59), Pair(2, std::nullopt)))
      << "the empty one has not been seen yet";
  Commit(2, 70);
  Commit(1, 75);
  EXPECT_THAT(Unreached(), IsEmpty()) << "or past them";
  EXPECT_EQ(3, std::ssize(Unreached("another topic's id")));
}

TEST_F(CatchUpTest, WhatIsStoppedIsNotWaitedFor) {
  Commit(1, 60);
  Commit(2, 70);
  std::map<std::string, int64_t> txns;
  tables::Put(kTopicId, 0, tables::Stop{.reason = tables::StopReason::kTruncated}, &txns);
  Commit(txns);
  EXPECT_THAT(Unreached(), IsEmpty());
  EXPECT_THAT(targets_.Stopped(*bronze_->snapshot(), kTopicId), ElementsAre(0));
}

TEST_F(CatchUpTest, AnUnknownEndIsNotReached) {
  Commit(0, 100);
  Commit(1, 60);
  Commit(2, 70);
  targets_.Set(3, std::nullopt);
  EXPECT_THAT(targets_.Unknown(), ElementsAre(3));
  EXPECT_THAT(Unreached(), ElementsAre(Pair(3, std::nullopt)));
  targets_.Set(3, kafka::OffsetSpan{0, 5});
  Commit(3, 5);
  EXPECT_THAT(Unreached(), IsEmpty());
}

TEST_F(CatchUpTest, TheLastCutIsDueWhenAllOfItIsReadAndSomeOfItUncut) {
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

TEST_F(CatchUpTest, PartitionsThatAreNotReadOrWereAddedLaterDoNotHoldItUp) {
  const CatchUpTargets targets({{0, 100}, {0, 60}});
  std::map<int32_t, PartitionProgress> partitions;
  partitions[0] = ReadTo(0, 100);
  partitions[1] = PartitionProgress();
  partitions[2] = ReadTo(2, 1);
  EXPECT_TRUE(targets.JustReadBy(partitions));
}

class CatchUpPatienceTest : public CatchUpTest {
 protected:
  CatchUpPatienceTest() {
    for (int i = 0; i < 5; ++i) kafka_.Produce(0, "k", "v", 0, false);
    EXPECT_TRUE(catch_up_.SetTargets([] { return false; }).ok());
  }
  void CommitOf(int32_t partition, int64_t txn) {
    Commit({{tables::ProgressAppId(kafka_.id(), partition), txn}});
  }
  bool IsDone(Millis after, bool busy = false) {
    return catch_up_.IsDone(*bronze_->snapshot(), busy ? std::set<int32_t>{0} : std::set<int32_t>{},
                            start_ + after);
  }
  IngestEnd End(const std::map<int32_t, std::string>& reasons) {
    IngestEnd end;
    catch_up_.Describe(*bronze_->snapshot(), reasons, &end);
    return end;
  }

  simulate::Chance chance_{1};
  simulate::Trace trace_;
  simulate::Scheduler scheduler_{&chance_, &trace_};
  simulate::SimulatedKafka kafka_{&scheduler_, "t", 3};
  const std::unique_ptr<kafka::TopicMetadata> topics_ = kafka_.OpenMetadata();
  CatchUp catch_up_{topics_.get(), "t"};
  BootClock::time_point start_{std::chrono::seconds{1000}};
};

TEST_F(CatchUpPatienceTest, WhatDoesNotMoveIsNamedAfterAMinute) {
  CommitOf(1, 0);
  CommitOf(2, 0);
  EXPECT_FALSE(IsDone(Millis{0}));
  EXPECT_FALSE(IsDone(Millis{50'000}));
  CommitOf(0, 3);
  EXPECT_FALSE(IsDone(Millis{61'000})) << "it has moved";
  EXPECT_FALSE(IsDone(Millis{120'000}, /*busy=*/true));
  EXPECT_FALSE(IsDone(Millis{179'000}));
  EXPECT_TRUE(IsDone(Millis{180'000}));
  EXPECT_THAT(End({{0, "it has no leader"}}).missing, ElementsAre(Pair(0, "it has no leader")));
  EXPECT_THAT(End({}).missing, ElementsAre(Pair(0, ::testing::HasSubstr("the group"))));
  CommitOf(0, 5);
  EXPECT_TRUE(IsDone(Millis{180'000}));
  EXPECT_THAT(End({}).missing, IsEmpty());
}

TEST_F(CatchUpPatienceTest, AnEmptyPartitionThatNobodySeesIsNotMissed) {
  CommitOf(0, 5);
  EXPECT_FALSE(IsDone(Millis{0}));
  EXPECT_TRUE(IsDone(Millis{60'000}));
  EXPECT_THAT(End({}).missing, IsEmpty());
}

}  // namespace
}  // namespace shopstream::ingest
