#include "ingest/start_positions.h"

#include <gtest/gtest.h>

#include "ingest/testing.h"

namespace shopstream::ingest {
namespace {

using Verdict = StartPosition::Verdict;

TEST(StartPositionsTest, ReadsOnFromTheLakesOwnOffset) {
  StartPosition start = testing::StartAfter(1, 40, {.log_start = 10, .end = 90}, true);
  EXPECT_EQ(start.verdict, Verdict::kRead);
  EXPECT_EQ(start.offset, 40);
  EXPECT_EQ(start.begin, 40);
  EXPECT_EQ(start.fence, 40);
  EXPECT_FALSE(start.lost());
}

TEST(StartPositionsTest, WhatTheLakeNeverHeardOfBeginsAtTheEarliest) {
  StartPosition start = testing::StartAfter(1, std::nullopt, {.log_start = 10, .end = 90}, false);
  EXPECT_EQ(start.verdict, Verdict::kRead);
  EXPECT_EQ(start.offset, 10);
  EXPECT_EQ(start.fence, std::nullopt);
  EXPECT_FALSE(start.lost()) << "nothing of it was ours";
}

TEST(StartPositionsTest, ExpiredOffsetsAreReportedAndTheRangeStillTiles) {
  StartPosition start = testing::StartAfter(2, 40, {.log_start = 60, .end = 90}, true);
  EXPECT_EQ(start.verdict, Verdict::kRead);
  EXPECT_EQ(start.offset, 60);
  EXPECT_EQ(start.begin, 40);
  EXPECT_EQ(start.lost(), (OffsetRange{.partition = 2, .begin = 40, .end = 60}));
}

TEST(StartPositionsTest, AheadOfKafkaIsNotRead) {
  EXPECT_EQ(testing::StartAfter(0, 91, {.log_start = 0, .end = 90}, true).verdict,
            Verdict::kBeyondEnd);
  EXPECT_EQ(testing::StartAfter(0, 90, {.log_start = 0, .end = 90}, true).verdict, Verdict::kRead);
}

TEST(StartPositionsTest, AStopStandsWhateverKafkaShowsNow) {
  tables::PartitionState state;
  state.next = 40;
  state.stop = {.reason = tables::StopReason::kBeyondEnd, .at_ms = 5, .kafka_offset = 30};
  const StartPosition start = DecideStart(0, state, {.log_start = 0, .end = 90}, true);
  EXPECT_EQ(start.verdict, Verdict::kStopped);
  EXPECT_EQ(start.stop, state.stop);
  const StartPosition expired = DecideStart(0, state, {.log_start = 60, .end = 90}, true);
  EXPECT_EQ(expired.verdict, Verdict::kStopped);
  EXPECT_FALSE(expired.lost()) << "nobody reads on";
  EXPECT_EQ(expired.offset, 40) << "a cut must not move the progress past the stop";
}

TEST(StartPositionsTest, AnAcceptedLossIsReadOnWhereKafkaEnds) {
  tables::PartitionState state;
  state.next = 91;
  state.accepted = 91;
  StartPosition start = DecideStart(0, state, {.log_start = 0, .end = 70}, true);
  EXPECT_EQ(start.verdict, Verdict::kRead);
  EXPECT_EQ(start.begin, 91) << "new records below it would get coordinates that rows have";
  EXPECT_EQ(start.offset, 70);
  EXPECT_FALSE(start.lost());
  state.next = 95;
  EXPECT_EQ(DecideStart(0, state, {.log_start = 0, .end = 70}, true).verdict, Verdict::kBeyondEnd)
      << "another loss";
}

TEST(StartPositionsTest, TheLedgerStartsAnewWhereItDoesNotFitTheProgress) {
  tables::PartitionState state;
  state.next = 40;
  EXPECT_EQ(DecideStart(0, state, {.log_start = 0, .end = 90}, true).position.empty,
            (tables::EmptyOffsets{40, 40, 0, 0}));
  state.position.empty = tables::EmptyOffsets{10, 40, 2, 25};
  EXPECT_EQ(DecideStart(0, state, {.log_start = 0, .end = 90}, true).position.empty,
            state.position.empty);
}

TEST(StartPositionsTest, RowsWithoutARecordOfProgressAreNotGuessedAt) {
  EXPECT_EQ(testing::StartAfter(0, std::nullopt, {.log_start = 0, .end = 90}, true).verdict,
            Verdict::kRowsWithoutTxn);
}

}  // namespace
}  // namespace shopstream::ingest
