#include "ingest/ingest_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "ingest/loop_testing.h"

namespace shopstream::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kOct24;

constexpr int32_t kNobodysId = 99;

class IngestLoopTest : public testing::LoopTest {};

TEST_F(IngestLoopTest, RowsStandWithTheirProgress) {
  Produce(0, 30);
  Produce(1, 12);
  Ingest* const ingest = Start();
  Run(Millis{8000});
  EXPECT_EQ(42, Rows());
  EXPECT_EQ(30, Txn(0));
  EXPECT_EQ(12, Txn(1));
  Stop(ingest);
  EXPECT_TRUE(ingest->status.ok()) << ingest->status;
  EXPECT_EQ(42, ingest->stats.rows());
}

TEST_F(IngestLoopTest, AFewRowsAreCommittedAtTheirAge) {
  Ingest* const ingest = Start();
  Run(Millis{3000});
  Produce(0, 3);
  Run(Millis{4000});
  EXPECT_EQ(0, Rows());
  Run(Millis{2000});
  EXPECT_EQ(3, Rows());
  EXPECT_EQ(2, ingest->stats.commits()) << "the first one tells of the empty partitions";
}

TEST_F(IngestLoopTest, AStopCommitsWhatWasRead) {
  Ingest* const ingest = Start();
  Run(Millis{3000});
  Produce(0, 3);
  Run(Millis{1000});
  Stop(ingest);
  EXPECT_TRUE(ingest->status.ok()) << ingest->status;
  EXPECT_EQ(3, Rows());
}

TEST_F(IngestLoopTest, OffsetsWithoutARecordMoveTheProgressAlone) {
  Produce(0, 5, testing::kSchemaId, /*in_transaction=*/true);
  Start();
  Run(Millis{8000});
  EXPECT_EQ(0, Txn(0));  // Nobody reads past an open transaction.
  kafka_.EndTransaction(0, /*commit=*/false);
  Run(Millis{8000});
  EXPECT_EQ(0, Rows());
  EXPECT_EQ(6, Txn(0));
}

TEST_F(IngestLoopTest, ItEndsOnceEverythingThereIsInTheLake) {
  Produce(0, 3);
  Produce(1, 2);
  Ingest* const ingest = Start(/*until_caught_up=*/true);
  EXPECT_TRUE(scheduler_.Run([&] { return scheduler_.ended(ingest->program); },
                             scheduler_.time() + Millis{4000}));
  EXPECT_TRUE(ingest->status.ok()) << ingest->status;
  EXPECT_EQ(5, Rows());
}

TEST_F(IngestLoopTest, ARegistryThatIsOutPausesReadingAndIsNoVerdict) {
  Ingest* const ingest = Start();
  Run(Millis{3000});
  registry_.out = true;
  Produce(0, 20);
  Run(Millis{30'000});
  EXPECT_EQ(0, Rows());
  EXPECT_EQ("registry", ingest->stats.paused_why());
  registry_.out = false;
  Run(Millis{10'000});
  EXPECT_EQ(20, Rows());
  EXPECT_EQ(0, ingest->stats.quarantined());
  EXPECT_EQ("", ingest->stats.paused_why());
}

TEST_F(IngestLoopTest, AnUnknownIdIsQuarantinedOnceTheRegistryHasDeniedItTwice) {
  Ingest* const ingest = Start();
  Run(Millis{3000});
  Produce(0, 4, kNobodysId);
  Produce(0, 16);
  Run(Millis{1500});
  EXPECT_EQ(0, Rows());  // The cut stays open for those that wait.
  Run(Millis{8000});
  EXPECT_EQ(16, Rows());
  EXPECT_EQ(4, Rows(tables::kQuarantinePath));
  EXPECT_EQ(20, Txn(0));
  EXPECT_THAT(ingest->stats.quarantined_by_cause(),
              ElementsAre(::testing::Pair("unknown_schema", 4)));
}

TEST_F(IngestLoopTest, APartitionIsGivenUpOnceItsRowsAreCommitted) {
  Ingest* const first = Start();
  Run(Millis{3000});
  Produce(0, 3);
  Produce(1, 3);
  Run(Millis{500});
  Ingest* const second = Start();
  Run(Millis{3000});
  // Long before their age: the revocation cut them.
  EXPECT_EQ(6, Rows());
  const std::vector<int> owners = kafka_.Owners();
  EXPECT_THAT(owners, ::testing::UnorderedElementsAre(first->program, second->program));
  EXPECT_EQ(0, first->stats.fences() + second->stats.fences());
  Produce(0, 10);
  Produce(1, 10);
  Run(Millis{8000});
  EXPECT_EQ(26, Rows());
  EXPECT_EQ(13, Txn(0));
  EXPECT_EQ(13, Txn(1));
}

TEST_F(IngestLoopTest, LostPartitionsAreReadAgainFromTheLake) {
  Ingest* const ingest = Start();
  Run(Millis{3000});
  Produce(0, 3);
  Run(Millis{500});
  kafka_.LoseMember(ingest->program);
  Run(Millis{20'000});
  EXPECT_EQ(3, Rows());
  EXPECT_EQ(3, Txn(0));
}

TEST_F(IngestLoopTest, WhoSleptPastItsSessionCommitsNothingTwice) {
  Ingest* const first = Start();
  Run(Millis{3000});
  Produce(0, 8);
  Produce(1, 8);
  Run(Millis{300});
  scheduler_.Suspend(first->program, Millis{40'000});
  Start();
  Run(Millis{30'000});
  EXPECT_EQ(16, Rows());  // By the second.
  Run(Millis{30'000});
  EXPECT_EQ(16, Rows());
  Produce(0, 5);
  Produce(1, 5);
  Run(Millis{20'000});
  EXPECT_EQ(26, Rows());
}

TEST_F(IngestLoopTest, ExpiredOffsetsAreReportedAndReadingContinues) {
  Produce(0, 10);
  CatchUp();
  Produce(0, 20);
  kafka_.Expire(0, 25);
  Start();
  Run(Millis{10'000});
  EXPECT_EQ(15, Rows());
  EXPECT_EQ(30, Txn(0));
  const std::string newest = NewestEntry();
  EXPECT_THAT(newest, HasSubstr("expiredBeforeIngest"));
  EXPECT_THAT(newest, HasSubstr(R"("begin":10,"end":25)"));
}

TEST_F(IngestLoopTest, ATopicCreatedAnewIsReadFromItsBeginning) {
  Ingest* const ingest = Start();
  Produce(0, 10);
  Run(Millis{8000});
  Produce(0, 3);  // Read, but never committed.
  Run(Millis{500});
  kafka_.DeleteTopic();
  Run(Millis{2000});
  kafka_.CreateTopic(2);
  Produce(0, 6);
  Run(Millis{30'000});
  EXPECT_EQ(16, Rows());
  EXPECT_EQ(6, Txn(0));
  EXPECT_TRUE(ingest->status.ok()) << ingest->status;
}

TEST_F(IngestLoopTest, APartitionWithoutALeaderHoldsUpNoOther) {
  Produce(0, 10);
  Produce(1, 10);
  kafka_.LoseLeader(0);
  Ingest* const ingest = Start();
  Run(Millis{10'000});
  EXPECT_EQ(10, Rows());
  Produce(1, 10);
  Run(Millis{60'000});
  EXPECT_EQ(20, Rows());
  EXPECT_EQ(20, Txn(1));
  kafka_.Elect(0);
  Run(Millis{60'000});
  EXPECT_EQ(30, Rows());
  EXPECT_EQ(10, Txn(0));
  Stop(ingest);
  EXPECT_TRUE(ingest->status.ok()) << ingest->status;
}

TEST_F(IngestLoopTest, APartitionWithoutALeaderHoldsUpNoRebalance) {
  Produce(0, 10);
  Produce(1, 10);
  Ingest* const first = Start();
  Run(Millis{8000});
  EXPECT_EQ(20, Rows());
  kafka_.LoseLeader(1);
  Ingest* const second = Start();  // Gets one of them.
  Run(Millis{10'000});
  Produce(0, 10);
  Run(Millis{20'000});
  EXPECT_EQ(30, Rows());
  kafka_.Elect(1);
  Produce(1, 10);
  Run(Millis{60'000});
  EXPECT_EQ(40, Rows());
  Stop(first);
  Stop(second);
  EXPECT_TRUE(first->status.ok() && second->status.ok());
}

TEST_F(IngestLoopTest, CaughtUpExceptForThePartitionThatNobodyCanRead) {
  Produce(0, 10);
  Produce(1, 10);
  kafka_.LoseLeader(0);
  Ingest* const ingest = CatchUp();
  EXPECT_TRUE(ingest->status.ok()) << ingest->status;
  EXPECT_FALSE(ingest->end.interrupted);
  EXPECT_THAT(ingest->end.missing, ElementsAre(::testing::Pair(0, HasSubstr("leader"))));
  EXPECT_EQ(10, Rows());
  kafka_.Elect(0);
  EXPECT_THAT(CatchUp()->end.missing, ::testing::IsEmpty());
  EXPECT_EQ(20, Rows());
}

TEST_F(IngestLoopTest, AStopBeforeItHasCaughtUpIsAnInterruption) {
  Produce(0, 10);
  kafka_.LoseLeader(1);
  Ingest* const ingest = Start(/*until_caught_up=*/true);
  Run(Millis{10'000});
  Stop(ingest);
  EXPECT_TRUE(ingest->end.interrupted);
  EXPECT_TRUE(ingest->end.flushed);
}

TEST_F(IngestLoopTest, AStoreThatIsOutPausesReadingAndLosesNothing) {
  cut_.filling_bytes = 1000;
  Ingest* const ingest = Start();
  Run(Millis{3000});
  store_.faults.fails_before = 1;
  for (int burst = 0; burst < 60; ++burst) {
    Produce(burst % 2, 10);
    Run(Millis{1000});
  }
  EXPECT_EQ(0, Rows());
  EXPECT_EQ("storage", ingest->stats.paused_why());
  store_.faults = {};
  Run(Millis{60'000});
  EXPECT_EQ(600, Rows());
  EXPECT_TRUE(ingest->status.ok()) << ingest->status;
}

TEST_F(IngestLoopTest, AfterTenMinutesWithoutAStoreItSaysAtWhichStep) {
  Ingest* const ingest = Start();
  Run(Millis{3000});
  Produce(0, 10);
  store_.faults.fails_before = 1;
  Run(Millis{660'000});
  EXPECT_THAT(ingest->status.message(), HasSubstr("Gave up trying to write data files"));
}

}  // namespace
}  // namespace shopstream::ingest
