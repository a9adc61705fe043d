#include "ingest/partition_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/testing.h"
#include "kafka/record_hash.h"

namespace shopstream::ingest {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

PartitionProgress ReadFrom(std::optional<int64_t> txn, kafka::OffsetSpan span) {
  return PartitionProgress(testing::StartAfter(3, txn, span));
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

TEST(PartitionProgressTest, TheTimeThroughWhichItIsCompleteOnlyGrows) {
  StartPosition start = testing::StartAfter(3, 40, {.log_start = 0, .end = 90});
  start.complete_through_ms = 5000;
  PartitionProgress progress(start);
  progress.AdvanceTo(45);
  Cut cut = Sealed(&progress);
  progress.SealComplete(5000, &cut);
  progress.SealComplete(4000, &cut);
  EXPECT_THAT(cut.complete, IsEmpty());
  progress.SealComplete(6000, &cut);
  EXPECT_THAT(cut.complete, ::testing::ElementsAre(CutComplete{3, 45, 6000}));
  EXPECT_EQ(6000, progress.complete_through_ms());
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
  testing::Records records;
  const kafka::RecordView garbage = records.Make(3, 42, "garbage");
  StartPosition start = testing::StartAfter(3, 40, {.log_start = 0, .end = 90});
  start.quarantined = {{42, kafka::ContentHash(garbage)}, {55, 1}};
  start.quarantine_fence = 60;
  PartitionProgress progress(start);
  using Skip = PartitionProgress::Skip;
  EXPECT_EQ(Skip::kSame, progress.Committed(garbage));
  EXPECT_EQ(Skip::kNo, progress.Committed(records.Make(3, 43, "garbage")));
  EXPECT_EQ(Skip::kOther, progress.Committed(records.Make(3, 42, "other")))
      << "Kafka's log was replaced";
  progress.AdvanceTo(50);
  EXPECT_EQ(60, Sealed(&progress, /*quarantines=*/true).progress.at(0).quarantine_fence);
  EXPECT_EQ(Skip::kOther, progress.Committed(records.Make(3, 55, "garbage")));
  progress.AdvanceTo(58);
  EXPECT_EQ(60, Sealed(&progress).progress.at(0).quarantine_fence) << "never backwards";
}

TEST(PartitionProgressTest, ThePositionIsThatOfTheRangesEnd) {
  testing::Records records;
  PartitionProgress progress = ReadFrom(40, {.log_start = 0, .end = 90});
  kafka::RecordView record = records.Make(3, 43, "x");
  record.leader_epoch = 7;
  progress.Take(record);
  const tables::Position taken = Sealed(&progress).progress.at(0).position;
  ASSERT_TRUE(taken.last);
  EXPECT_EQ((tables::LastRecord{43, 7, record.timestamp_ms, kafka::ContentHash(record)}),
            *taken.last);
  EXPECT_EQ(7, taken.end_epoch);
  EXPECT_EQ((tables::EmptyOffsets{40, 44, 3, 40 + 41 + 42}), taken.empty);
  EXPECT_TRUE(progress.AdvanceTo(46, 8));
  const tables::Position passed = Sealed(&progress).progress.at(0).position;
  EXPECT_EQ(43, passed.last->offset);
  EXPECT_EQ(8, passed.end_epoch) << "the markers' own";
  EXPECT_EQ((tables::EmptyOffsets{40, 46, 5, 40 + 41 + 42 + 44 + 45}), passed.empty);
}

TEST(PartitionProgressTest, LostOffsetsAreNotCountedAsEmpty) {
  StartPosition start = testing::StartAfter(3, 40, {.log_start = 60, .end = 90});
  start.position.end_epoch = 5;
  PartitionProgress progress(start);
  const tables::Position position = Sealed(&progress).progress.at(0).position;
  EXPECT_EQ((tables::EmptyOffsets{40, 60, 0, 0}), position.empty);
  EXPECT_EQ(-1, position.end_epoch) << "of an offset that nobody has read";
}

TEST(PartitionProgressTest, AtFirstSightTheTableIsToldEvenOfAnEmptyPartition) {
  PartitionProgress progress = ReadFrom(std::nullopt, {.log_start = 7, .end = 7});
  EXPECT_TRUE(progress.has_notice());
  const Cut cut = Sealed(&progress);
  ASSERT_THAT(cut.progress, SizeIs(1));
  EXPECT_EQ((OffsetRange{3, 7, 7}), cut.progress[0].range);
  EXPECT_EQ(std::nullopt, cut.progress[0].fence);
  EXPECT_FALSE(progress.has_notice());
  EXPECT_THAT(Sealed(&progress).progress, IsEmpty());
  progress.AdvanceTo(9);
  EXPECT_EQ(7, Sealed(&progress).progress.at(0).fence);
  EXPECT_FALSE(ReadFrom(7, {.log_start = 7, .end = 7}).has_notice());
}

TEST(PartitionProgressTest, AStopIsInTheNextCutWithWhatWasReadBefore) {
  PartitionProgress progress = ReadFrom(40, {.log_start = 0, .end = 90});
  progress.AdvanceTo(45);
  progress.Stop({.reason = tables::StopReason::kOtherRecord, .at_ms = 1, .kafka_offset = 45});
  EXPECT_TRUE(progress.has_notice());
  EXPECT_TRUE(progress.stopped());
  EXPECT_FALSE(progress.Awaits(45));
  EXPECT_FALSE(progress.AdvanceTo(60));
  const Cut cut = Sealed(&progress);
  EXPECT_EQ((OffsetRange{3, 40, 45}), cut.progress.at(0).range);
  ASSERT_THAT(cut.stops, SizeIs(1));
  EXPECT_EQ(40, cut.stops[0].fence) << "as before the cut";
  EXPECT_EQ(tables::StopReason::kOtherRecord, cut.stops[0].stop.reason);
  EXPECT_FALSE(progress.has_notice());
  EXPECT_THAT(Sealed(&progress).stops, IsEmpty());
}

TEST(PartitionProgressTest, WhatIsBeyondKafkasEndIsNotReadAndTheTableIsTold) {
  PartitionProgress progress = ReadFrom(100, {.log_start = 0, .end = 90});
  EXPECT_FALSE(progress.reading());
  EXPECT_TRUE(progress.stopped());
  const Cut cut = Sealed(&progress);
  EXPECT_THAT(cut.progress, IsEmpty());
  ASSERT_THAT(cut.stops, SizeIs(1));
  EXPECT_EQ(tables::StopReason::kBeyondEnd, cut.stops[0].stop.reason);
  EXPECT_EQ(90, cut.stops[0].stop.kafka_offset);
}

TEST(PartitionProgressTest, WhatTheTableKnowsToBeStoppedIsNotToldAgain) {
  tables::PartitionState state;
  state.next = 40;
  state.stop.reason = tables::StopReason::kTruncated;
  PartitionProgress progress(DecideStart(3, state, {.log_start = 0, .end = 90}, false));
  EXPECT_TRUE(progress.stopped());
  EXPECT_FALSE(progress.reading());
  EXPECT_FALSE(progress.has_notice());
}

TEST(PartitionProgressTest, AfterAHaltReadingContinuesWhereItWas) {
  PartitionProgress progress = ReadFrom(40, {.log_start = 0, .end = 90});
  progress.AdvanceTo(45);
  progress.Halt(45);
  EXPECT_FALSE(progress.Awaits(45));
  EXPECT_EQ((OffsetRange{3, 40, 45}), Sealed(&progress).progress.at(0).range);
  progress.Continue();
  EXPECT_TRUE(progress.Awaits(45));
  EXPECT_FALSE(PartitionProgress().reading());
}

TEST(PartitionProgressTest, WhatWasPolledBelowAHaltIsStillTaken) {
  PartitionProgress progress = ReadFrom(40, {.log_start = 0, .end = 90});
  progress.Halt(42);
  EXPECT_FALSE(progress.reading());
  EXPECT_TRUE(progress.Awaits(41));
  EXPECT_FALSE(progress.Awaits(42));
  progress.AdvanceTo(43);
  EXPECT_EQ(progress.next(), 40);
}

}  // namespace
}  // namespace shopstream::ingest
