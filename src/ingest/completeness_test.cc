#include "ingest/completeness.h"

#include <gtest/gtest.h>

#include "ingest/loop_testing.h"

namespace shopstream::ingest {
namespace {

// Whole ingests: the time through which the table has everything of a partition.
class CompletenessTest : public testing::LoopTest {
 protected:
  int64_t Through(int32_t partition) { return State(partition).complete_through_ms.value_or(-1); }
  int64_t Now() const { return scheduler_.EpochMillis(); }
  int64_t Version() {
    const auto look = store_.OpenForChecks();
    return (*lake::Table::Open(look.get(), tables::kBronzePath))->snapshot()->version();
  }
  // Programs' clocks differ a little.
  static constexpr int64_t kClock = 1000;
};

TEST_F(CompletenessTest, TheFirstCutHasTheTime) {
  Produce(0, 30);
  const int64_t start = Now();
  const Ingest* const ingest = CatchUp();
  ASSERT_TRUE(ingest->status.ok()) << ingest->status;
  for (int32_t partition : {0, 1}) {
    EXPECT_GE(Through(partition), start - kClock);
    EXPECT_LE(Through(partition), Now() + kClock);
  }
}

TEST_F(CompletenessTest, AnIdlePartitionDoesNotHoldBackTheOthers) {
  Start();
  for (int i = 0; i < 20; ++i) {
    Produce(0, 10);
    Run(Millis{1000});
  }
  Run(Millis{6000});
  for (int32_t partition : {0, 1}) EXPECT_GE(Through(partition), Now() - 15'000 - kClock);
}

TEST_F(CompletenessTest, AnIdleTopicCostsACommitAMinute) {
  Produce(0, 3);
  Start();
  Run(Millis{10'000});
  const int64_t version = Version();
  Run(Millis{45'000});
  EXPECT_EQ(version, Version());
  Run(Millis{600'000});
  EXPECT_GE(Version(), version + 8);
  EXPECT_LE(Version(), version + 11);
  EXPECT_GE(Through(0), Now() - 70'000 - kClock);
  EXPECT_EQ(3, Rows());
}

TEST_F(CompletenessTest, ARunUntilCaughtUpThatFindsNothingNewMovesTheTime) {
  Produce(0, 3);
  CatchUp();
  const int64_t version = Version();
  CatchUp();
  EXPECT_EQ(version, Version()) << "within a minute";
  scheduler_.Leap(Millis{3'600'000});
  const int64_t start = Now();
  CatchUp();
  EXPECT_EQ(version + 1, Version());
  EXPECT_GE(Through(0), start - kClock);
  EXPECT_GE(Through(1), start - kClock);
}

TEST_F(CompletenessTest, ALogThatWasCutKeepsItsTime) {
  Produce(0, 10);
  Produce(1, 10);
  CatchUp();
  const int64_t before = Through(0);
  scheduler_.Leap(Millis{3'600'000});
  kafka_.Restore(0, 0);
  Produce(0, 5);
  CatchUp();
  EXPECT_EQ(before, Through(0));
  EXPECT_GT(Through(1), before);
}

TEST_F(CompletenessTest, AnOpenTransactionHoldsBackTheTimeOfWhatFollowsIt) {
  Produce(0, 3);
  Start();
  Run(Millis{10'000});
  Produce(0, 5, testing::kSchemaId, /*in_transaction=*/true);
  registry_.out = true;
  kafka_.EndTransaction(0, /*commit=*/true);
  Produce(0, 5, 99);
  const int64_t produced = Now();
  Run(Millis{200'000});
  EXPECT_LT(Through(0), produced + kClock) << "what follows cannot be decoded yet";
  registry_.out = false;
  Run(Millis{90'000});
  EXPECT_GT(Through(0), produced + kClock);
}

TEST_F(CompletenessTest, APartitionWithoutALeaderKeepsItsTime) {
  Start();
  Run(Millis{10'000});
  kafka_.LoseLeader(0);
  const int64_t lost = Now();
  Run(Millis{300'000});
  EXPECT_LE(Through(0), lost + kClock);
  EXPECT_GE(Through(1), Now() - 70'000 - kClock);
  kafka_.Elect(0);
  Run(Millis{70'000});
  EXPECT_GE(Through(0), Now() - 70'000 - kClock);
}

TEST_F(CompletenessTest, ATopicThatWasCreatedAgainStartsAnew) {
  Produce(0, 3);
  Start();
  Run(Millis{10'000});
  kafka_.DeleteTopic();
  Run(Millis{10'000});
  kafka_.CreateTopic(2);
  const int64_t created = Now();
  Produce(0, 3);
  Run(Millis{90'000});
  EXPECT_GE(Through(0), created - kClock);
}

}  // namespace
}  // namespace shopstream::ingest
