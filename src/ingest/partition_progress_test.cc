#include "ingest/partition_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream::ingest {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

PartitionProgress ReadFrom(std::optional<int64_t> txn, kafka::OffsetSpan span) {
  return PartitionProgress(DecideStart(3, txn, span, /*has_rows=*/false));
}

// A cut of one partition, optionally with quarantined records.
Cut Sealed(PartitionProgress* progress, bool quarantines = false) {
  Cut cut;
  if (quarantines) cut.quarantined.emplace_back();
  progress->Seal(&cut);
  return cut;
}

TEST(PartitionProgressTest, TheRangesOfCutsTileAndEachFencesAtItsBegin) {
  PartitionProgress progress = ReadFrom(40, {.log_start = 0, .end = 90});
  EXPECT_TRUE(progress.AdvanceTo(45));
  Cut first = Sealed(&progress);
  EXPECT_TRUE(progress.AdvanceTo(60));
  Cut second = Sealed(&progress);
  ASSERT_THAT(first.progress, SizeIs(1));
  EXPECT_EQ((OffsetRange{3, 40, 45}), first.progress[0].range);
  EXPECT_EQ(40, first.progress[0].fence);
  ASSERT_THAT(second.progress, SizeIs(1));
  EXPECT_EQ((OffsetRange{3, 45, 60}), second.progress[0].range);
  EXPECT_EQ(45, second.progress[0].fence);
}

TEST(PartitionProgressTest, WithoutATxnTheFirstCutExpectsThatThereIsNone) {
  PartitionProgress progress = ReadFrom(std::nullopt, {.log_start = 0, .end = 90});
  progress.AdvanceTo(1);
  EXPECT_EQ(std::nullopt, Sealed(&progress).progress.at(0).fence);
  progress.AdvanceTo(2);
  EXPECT_EQ(1, Sealed(&progress).progress.at(0).fence);
}

TEST(PartitionProgressTest, WhatReadNothingIsInNoCut) {
  PartitionProgress progress = ReadFrom(40, {.log_start = 0, .end = 90});
  EXPECT_FALSE(progress.AdvanceTo(40));
  EXPECT_THAT(Sealed(&progress).progress, IsEmpty());
  progress.AdvanceTo(50);
  progress.StopReading();
  EXPECT_THAT(Sealed(&progress).progress, IsEmpty());
  EXPECT_FALSE(progress.Awaits(60));
  EXPECT_FALSE(progress.AdvanceTo(61));
}

TEST(PartitionProgressTest, ExpiredOffsetsAreInTheRangeAndReportedOnce) {
  PartitionProgress progress = ReadFrom(40, {.log_start = 60, .end = 90});
  EXPECT_FALSE(progress.Awaits(59));
  EXPECT_TRUE(progress.Awaits(60));
  Cut first = Sealed(&progress);
  ASSERT_THAT(first.progress, SizeIs(1));
  EXPECT_EQ((OffsetRange{3, 40, 60}), first.progress[0].range);
  ASSERT_THAT(first.lost, SizeIs(1));
  EXPECT_EQ((OffsetRange{3, 40, 60}), first.lost[0]);
  progress.AdvanceTo(70);
  EXPECT_THAT(Sealed(&progress).lost, IsEmpty());
}

TEST(PartitionProgressTest, TheFenceOfQuarantineMovesOnlyWithCutsThatQuarantine) {
  PartitionProgress progress = ReadFrom(40, {.log_start = 0, .end = 90});
  progress.AdvanceTo(50);
  EXPECT_EQ(std::nullopt, Sealed(&progress, /*quarantines=*/true).progress.at(0).quarantine_fence);
  progress.AdvanceTo(60);
  EXPECT_EQ(50, Sealed(&progress).progress.at(0).quarantine_fence);
  progress.AdvanceTo(70);
  EXPECT_EQ(50, Sealed(&progress, /*quarantines=*/true).progress.at(0).quarantine_fence);
  progress.AdvanceTo(80);
  EXPECT_EQ(70, Sealed(&progress).progress.at(0).quarantine_fence);
}

TEST(PartitionProgressTest, WhatAnEarlierConsumerQuarantinedIsSkippedInTheFirstCutToo) {
  StartPosition start = DecideStart(3, 40, {.log_start = 0, .end = 90}, false);
  start.quarantined = {42, 55};
  start.quarantine_fence = 60;
  PartitionProgress progress(start);
  EXPECT_TRUE(progress.IsQuarantined(42));
  EXPECT_FALSE(progress.IsQuarantined(43));
  progress.AdvanceTo(50);
  EXPECT_EQ(60, Sealed(&progress, /*quarantines=*/true).progress.at(0).quarantine_fence);
  EXPECT_TRUE(progress.IsQuarantined(55));
  progress.AdvanceTo(58);
  EXPECT_EQ(60, Sealed(&progress).progress.at(0).quarantine_fence) << "never backwards";
}

TEST(PartitionProgressTest, WhatIsBeyondKafkasEndIsNotRead) {
  const PartitionProgress progress = ReadFrom(100, {.log_start = 0, .end = 90});
  EXPECT_FALSE(progress.readable());
  EXPECT_FALSE(progress.reading());
  EXPECT_TRUE(PartitionProgress().readable()) << "only its start is not known yet";
  EXPECT_FALSE(PartitionProgress().reading());
}

}  // namespace
}  // namespace shopstream::ingest
