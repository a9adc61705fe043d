#include "ingest/start_positions.h"

#include <gtest/gtest.h>

namespace shopstream::ingest {
namespace {

using Verdict = StartPosition::Verdict;

TEST(StartPositionsTest, ReadsOnFromTheLakesOwnOffset) {
  StartPosition start = DecideStart(1, 40, {.log_start = 10, .end = 90}, true);
  EXPECT_EQ(start.verdict, Verdict::kRead);
  EXPECT_EQ(start.offset, 40);
  EXPECT_EQ(start.begin, 40);
  EXPECT_EQ(start.fence, 40);
  EXPECT_FALSE(start.lost());
}

TEST(StartPositionsTest, WhatTheLakeNeverHeardOfBeginsAtTheEarliest) {
  StartPosition start = DecideStart(1, std::nullopt, {.log_start = 10, .end = 90}, false);
  EXPECT_EQ(start.verdict, Verdict::kRead);
  EXPECT_EQ(start.offset, 10);
  EXPECT_EQ(start.fence, std::nullopt);
  EXPECT_FALSE(start.lost()) << "nothing of it was ours";
}

TEST(StartPositionsTest, ExpiredOffsetsAreReportedAndTheRangeStillTiles) {
  StartPosition start = DecideStart(2, 40, {.log_start = 60, .end = 90}, true);
  EXPECT_EQ(start.verdict, Verdict::kRead);
  EXPECT_EQ(start.offset, 60);
  EXPECT_EQ(start.begin, 40);
  EXPECT_EQ(start.lost(), (OffsetRange{.partition = 2, .begin = 40, .end = 60}));
}

TEST(StartPositionsTest, AheadOfKafkaIsNotRead) {
  EXPECT_EQ(DecideStart(0, 91, {.log_start = 0, .end = 90}, true).verdict, Verdict::kBeyondEnd);
  EXPECT_EQ(DecideStart(0, 90, {.log_start = 0, .end = 90}, true).verdict, Verdict::kRead);
}

TEST(StartPositionsTest, RowsWithoutARecordOfProgressAreNotGuessedAt) {
  EXPECT_EQ(DecideStart(0, std::nullopt, {.log_start = 0, .end = 90}, true).verdict,
            Verdict::kRowsWithoutTxn);
}

}  // namespace
}  // namespace shopstream::ingest
