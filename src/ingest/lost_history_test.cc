// What becomes of a partition whose log in Kafka is no longer the one that the lake was read from.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "ingest/cut_committer.h"
#include "ingest/loop_testing.h"

namespace shopstream::ingest {
namespace {

using tables::StopReason;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LostHistoryTest : public testing::LoopTest {
 protected:
  // As `shopstream progress accept-loss`.
  void Accept(int32_t partition) {
    const auto look = store_.OpenForChecks();
    const auto table = *lake::Table::Open(look.get(), tables::kBronzePath);
    lake::Changes changes;
    tables::PutAccepted(kafka_.id(), partition, *Txn(partition), &changes.txns);
    EXPECT_EQ(
        lake::CommitOutcome::kCommitted,
        table->Commit(lake::Unconditionally(changes), BootClock::now() + Millis{10'000})->outcome);
  }

  // Neither a restart nor new records change it.
  void ExpectStaysStopped(StopReason reason, int64_t rows) {
    for (int i = 0; i < 2; ++i) {
      const Ingest* const ingest = CatchUp();
      EXPECT_TRUE(ingest->status.ok()) << ingest->status;
      EXPECT_THAT(ingest->end.stopped, ElementsAre(0));
      EXPECT_EQ(reason, State(0).stop.reason);
      EXPECT_EQ(rows, Rows());
      Produce(0, 7);
    }
  }
};

TEST_F(LostHistoryTest, APartitionBehindTheLakeIsNotReadUntilAnOperatorDecides) {
  Produce(0, 10);
  Produce(1, 10);
  CatchUp();
  kafka_.Truncate(0, 4);
  Produce(0, 2);
  Produce(1, 5);
  Ingest* const ingest = Start();
  Run(Millis{20'000});
  EXPECT_EQ(25, Rows());
  EXPECT_EQ(10, Txn(0));
  EXPECT_EQ(15, Txn(1)) << "the other one goes on";
  EXPECT_EQ(StopReason::kBeyondEnd, State(0).stop.reason);
  EXPECT_EQ(6, State(0).stop.kafka_offset);
  Stop(ingest);
  Produce(0, 20);  // Up to 26.
  ExpectStaysStopped(StopReason::kBeyondEnd, 25);
  Accept(0);
  EXPECT_THAT(CatchUp()->end.stopped, IsEmpty());
  EXPECT_EQ(40, Txn(0));
  EXPECT_EQ(25 + 30, Rows()) << "each of 10 to 39 once";
}

TEST_F(LostHistoryTest, ALogThatWasCutAndGrewPastTheLakeIsNoticed) {
  Produce(0, 10);
  CatchUp();
  kafka_.Truncate(0, 4);
  Produce(0, 20);
  ExpectStaysStopped(StopReason::kOtherRecord, 10);
  Accept(0);
  CatchUp();
  EXPECT_EQ(38, Txn(0));
  EXPECT_EQ(38, Rows());
}

TEST_F(LostHistoryTest, ARestoredLogThatRepeatsItsEpochsIsNoticedByTheContent) {
  Produce(0, 4);
  kafka_.Elect(0);
  Produce(0, 6);
  CatchUp();
  const int32_t epoch = kafka_.log(0).offsets[9].leader_epoch;
  kafka_.Restore(0, 4);
  Produce(0, 1);
  Produce(0, 19);  // Not the same records again.
  ASSERT_EQ(epoch, kafka_.log(0).offsets[9].leader_epoch);
  ExpectStaysStopped(StopReason::kOtherRecord, 10);
}

TEST_F(LostHistoryTest, ALogCutWithinItsLastMarkersIsNoticedByTheirEpoch) {
  Produce(0, 5, testing::kSchemaId, /*in_transaction=*/true);
  kafka_.EndTransaction(0, /*commit=*/true);
  CatchUp();
  ASSERT_EQ(6, Txn(0));
  kafka_.Truncate(0, 5);
  Produce(0, 10);
  ExpectStaysStopped(StopReason::kTruncated, 5);
}

TEST_F(LostHistoryTest, ACutWhileItIsReadStopsThePartition) {
  Produce(0, 10);
  Produce(1, 10);
  Ingest* const ingest = Start();
  Run(Millis{8000});
  ASSERT_EQ(20, Rows());
  kafka_.Truncate(0, 4);
  Produce(0, 20);
  Produce(1, 5);
  Run(Millis{20'000});
  EXPECT_EQ(25, Rows());
  EXPECT_TRUE(State(0).stopped());
  EXPECT_FALSE(State(1).stopped());
  // The running ingest notices the decision.
  Accept(0);
  Run(Millis{20'000});
  EXPECT_EQ(24, Txn(0));
  EXPECT_EQ(25 + 14, Rows());
  Stop(ingest);
  EXPECT_TRUE(ingest->status.ok()) << ingest->status;
}

TEST_F(LostHistoryTest, AnAcceptedLossContinuesEvenWhileKafkaIsShorter) {
  Produce(0, 10);
  CatchUp();
  kafka_.Truncate(0, 4);
  CatchUp();
  ASSERT_TRUE(State(0).stopped());
  Accept(0);
  Ingest* const ingest = Start();
  Produce(0, 3);
  Run(Millis{10'000});
  EXPECT_EQ(10, Rows()) << "new records below the progress are lost: the coordinates are taken";
  Produce(0, 8);
  Run(Millis{10'000});
  EXPECT_EQ(15, Txn(0));
  EXPECT_EQ(15, Rows());
  Stop(ingest);
  EXPECT_THAT(ingest->end.stopped, IsEmpty());
}

TEST_F(LostHistoryTest, AnotherLeaderWithTheSameLogPasses) {
  Produce(0, 10);
  CatchUp();
  kafka_.Elect(0);
  Produce(0, 5);
  EXPECT_THAT(CatchUp()->end.stopped, IsEmpty());
  kafka_.Elect(0);
  EXPECT_THAT(CatchUp()->end.stopped, IsEmpty());
  EXPECT_EQ(15, Rows());
}

TEST_F(LostHistoryTest, MarkersOfALaterEpochPass) {
  Produce(0, 5, testing::kSchemaId, /*in_transaction=*/true);
  kafka_.Elect(0);
  kafka_.EndTransaction(0, /*commit=*/true);
  CatchUp();
  ASSERT_EQ(6, Txn(0));
  kafka_.Elect(0);
  Produce(0, 3);
  EXPECT_THAT(CatchUp()->end.stopped, IsEmpty());
  EXPECT_EQ(8, Rows());
}

TEST_F(LostHistoryTest, AnExpiredLastRecordPasses) {
  Produce(0, 10);
  CatchUp();
  kafka_.Elect(0);
  Produce(0, 10);
  kafka_.Expire(0, 10);
  EXPECT_THAT(CatchUp()->end.stopped, IsEmpty());
  EXPECT_EQ(20, Rows());
  kafka_.Expire(0, 20);
  EXPECT_THAT(CatchUp()->end.stopped, IsEmpty());
  Produce(0, 10);
  kafka_.Expire(0, 25);
  EXPECT_THAT(CatchUp()->end.stopped, IsEmpty());
  EXPECT_EQ(25, Rows());
  EXPECT_THAT(State(0).lost, ElementsAre(OffsetRange{0, 20, 25}));
}

TEST_F(LostHistoryTest, WhatExpiresInAPartitionThatHadBeenEmptyIsReported) {
  Produce(0, 3);
  CatchUp();
  EXPECT_EQ(0, Txn(1));
  Produce(1, 10);
  kafka_.Expire(1, 8);
  CatchUp();
  EXPECT_EQ(10, Txn(1));
  EXPECT_THAT(State(1).lost, ElementsAre(OffsetRange{1, 0, 8}));
  EXPECT_EQ(3 + 2, Rows());
}

TEST_F(LostHistoryTest, OffsetsWithoutARecordAreCounted) {
  Produce(0, 4, testing::kSchemaId, /*in_transaction=*/true);
  kafka_.EndTransaction(0, /*commit=*/false);  // 0 to 4 hold none.
  Produce(0, 2);
  Produce(0, 1, testing::kSchemaId, /*in_transaction=*/true);
  kafka_.EndTransaction(0, /*commit=*/true);  // Neither does 8.
  CatchUp();
  EXPECT_EQ((tables::EmptyOffsets{0, 9, 6, 0 + 1 + 2 + 3 + 4 + 8}), State(0).position.empty);
}

TEST_F(LostHistoryTest, QuarantineOfAnotherHistoryHidesNoRecord) {
  Produce(0, 2);
  CatchUp();
  // A consumer dies between the two commits of a cut: quarantine has the record at 2.
  const auto look = store_.OpenForChecks();
  const auto bronze = *lake::Table::Open(look.get(), tables::kBronzePath);
  const auto quarantine = *lake::Table::Open(look.get(), tables::kQuarantinePath);
  testing::Records records;
  SchemaCache schemas = testing::EventSchemas();
  CutBuilder builder(testing::EventLayout());
  testing::Add(records.Make(0, 2, "garbage"), schemas, &builder);
  Cut cut = *builder.Finish();
  cut.sealed_at = BootClock::now();
  cut.topic = testing::kTopic;
  cut.topic_id = kafka_.id();
  cut.progress = {{.range = {0, 2, 3}, .fence = 2, .quarantine_fence = std::nullopt}};
  CutCommitter committer(bronze.get(), quarantine.get(), nullptr,
                         [&]() -> Result<std::string> { return kafka_.id(); }, {});
  const auto dies = [&] { return quarantine->snapshot()->file_count() > 0; };
  EXPECT_EQ(CutOutcome::kAbandoned, committer.Commit(cut, dies)->outcome);
  ASSERT_EQ(1, Rows(tables::kQuarantinePath));
  // Kafka has a good record there.
  Produce(0, 2);
  EXPECT_THAT(CatchUp()->end.stopped, ElementsAre(0));
  EXPECT_EQ(StopReason::kOtherRecord, State(0).stop.reason);
  EXPECT_EQ(2, State(0).stop.kafka_offset);
  EXPECT_EQ(2, Rows());
  // The quarantined record keeps its coordinates; Kafka's other record there is given up.
  Accept(0);
  EXPECT_THAT(CatchUp()->end.stopped, IsEmpty());
  EXPECT_EQ(4, Txn(0));
  EXPECT_EQ(3, Rows());
  EXPECT_EQ(1, Rows(tables::kQuarantinePath));
}

}  // namespace
}  // namespace shopstream::ingest
