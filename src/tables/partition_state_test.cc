#include "tables/partition_state.h"

#include <gtest/gtest.h>

#include <limits>

#include "tables/progress.h"

namespace shopstream::tables {
namespace {

constexpr char kId[] = "Xk3_-abcdefghijklmnopq";

Txns AtProgress(int64_t next) { return {{ProgressAppId(kId, 1), next}}; }

Position SomePosition(int64_t to) {
  return {LastRecord{to - 3, 7, 1'700'000'000'000, 99}, 8,
          EmptyOffsets{10, to, 2, to - 2 + to - 1}};
}

TEST(PartitionState, ReadsWhatWasPut) {
  Txns txns = AtProgress(50);
  const Stop stop{StopReason::kTruncated, 1'700'000'000'001, 33};
  Put(kId, 1, SomePosition(50), &txns);
  Put(kId, 1, stop, &txns);
  PutLost(kId, {1, 2, 9}, &txns);
  const PartitionState state = ReadPartitionState(txns, kId, 1);
  EXPECT_EQ(50, state.next);
  EXPECT_EQ(SomePosition(50), state.position);
  EXPECT_EQ(stop, state.stop);
  EXPECT_TRUE(state.stopped());
  EXPECT_FALSE(state.accepted);
  EXPECT_EQ((std::vector<OffsetRange>{{1, 2, 9}}), state.lost);
}

TEST(PartitionState, IsOfOnePartitionOfOneTopic) {
  Txns txns = AtProgress(50);
  Put(kId, 1, SomePosition(50), &txns);
  Put(kId, 1, Stop{StopReason::kBeyondEnd, 1, 2}, &txns);
  PutLost(kId, {1, 2, 9}, &txns);
  txns[ProgressAppId(kId, 11)] = txns[ProgressAppId("other", 1)] = 50;
  for (const PartitionState& state :
       {ReadPartitionState(txns, kId, 11), ReadPartitionState(txns, "other", 1)}) {
    EXPECT_EQ(50, state.next);
    EXPECT_EQ(Position{}, state.position);
    EXPECT_FALSE(state.stopped());
    EXPECT_TRUE(state.lost.empty());
  }
}

TEST(PartitionState, IsNoProgress) {
  Txns txns;
  Put(kId, 1, SomePosition(50), &txns);
  Put(kId, 1, Stop{StopReason::kBeyondEnd, 1, 2}, &txns);
  PutAccepted(kId, 1, 50, &txns);
  PutLost(kId, {1, 2, 9}, &txns);
  EXPECT_TRUE(ReadProgress(txns).empty());
  EXPECT_FALSE(ReadPartitionState(txns, kId, 1).next);
}

TEST(PartitionState, ARecordAtOrAboveTheProgressIsUnknown) {
  Txns txns = AtProgress(50);
  Position position = SomePosition(50);
  position.last->offset = 49;
  Put(kId, 1, position, &txns);
  EXPECT_EQ(position.last, ReadPartitionState(txns, kId, 1).position.last);
  txns[ProgressAppId(kId, 1)] = 49;
  EXPECT_FALSE(ReadPartitionState(txns, kId, 1).position.last);
}

TEST(PartitionState, AnEarlierProgramThatMovesTheProgressAloneLeavesTheLastRecord) {
  Txns txns = AtProgress(50);
  Put(kId, 1, SomePosition(50), &txns);
  txns[ProgressAppId(kId, 1)] = 60;
  const Position position = ReadPartitionState(txns, kId, 1).position;
  EXPECT_EQ(SomePosition(50).last, position.last);
  EXPECT_EQ(-1, position.end_epoch);
  EXPECT_FALSE(position.empty);
}

TEST(PartitionState, NoLastRecordReplacesOne) {
  Txns txns = AtProgress(50);
  Put(kId, 1, SomePosition(50), &txns);
  Put(kId, 1, Position{std::nullopt, -1, EmptyOffsets{50, 50, 0, 0}}, &txns);
  EXPECT_EQ((Position{std::nullopt, -1, EmptyOffsets{50, 50, 0, 0}}),
            ReadPartitionState(txns, kId, 1).position);
}

TEST(PartitionState, ImpossibleValuesAreUnknown) {
  const std::string prefix = std::string("shopstream-state/") + kId + "/1/";
  Txns good = AtProgress(50);
  Put(kId, 1, SomePosition(50), &good);
  for (const auto& [name, value] : Txns{{"empty-from", 51},
                                        {"empty-from", -1},
                                        {"empty-to", 49},
                                        {"empty-count", 41},
                                        {"empty-count", -1},
                                        {"empty-sum", -1}}) {
    Txns txns = good;
    txns[prefix + name] = value;
    EXPECT_FALSE(ReadPartitionState(txns, kId, 1).position.empty) << name << " " << value;
  }
  Txns txns = good;
  txns[prefix + "last-epoch"] = 1LL << 40;
  txns[prefix + "end-epoch"] = -7;
  EXPECT_EQ(-1, ReadPartitionState(txns, kId, 1).position.last->leader_epoch);
  EXPECT_EQ(-1, ReadPartitionState(txns, kId, 1).position.end_epoch);
}

TEST(PartitionState, AReasonOfANewerProgramStillStops) {
  Txns txns = AtProgress(50);
  txns[std::string("shopstream-state/") + kId + "/1/stop-reason"] = 1LL << 40;
  const PartitionState state = ReadPartitionState(txns, kId, 1);
  EXPECT_TRUE(state.stopped());
  EXPECT_STREQ("unknown", Name(state.stop.reason));
}

TEST(PartitionState, TheTimeThroughWhichAPartitionIsCompleteOnlyGrows) {
  Txns txns = AtProgress(50);
  EXPECT_FALSE(ReadPartitionState(txns, kId, 1).complete_through_ms);
  PutCompleteThrough(kId, 1, 5000, &txns);
  EXPECT_EQ(5000, ReadPartitionState(txns, kId, 1).complete_through_ms);
  for (const int64_t known : {4999, 5000}) {
    Txns changes;
    PutCompleteThrough(kId, 1, known, &changes);
    DropKnown(txns, &changes);
    EXPECT_TRUE(changes.empty()) << known;
  }
  Txns changes;
  PutCompleteThrough(kId, 1, 5001, &changes);
  DropKnown(txns, &changes);
  EXPECT_EQ(1u, changes.size());
}

TEST(PartitionState, ATableIsCompleteThroughTheLeastOfItsPartitions) {
  Txns txns;
  EXPECT_FALSE(ReadCompleteThrough(txns));
  txns = AtProgress(50);
  EXPECT_FALSE(ReadCompleteThrough(txns)) << "written by an earlier version";
  PutCompleteThrough(kId, 1, 5000, &txns);
  EXPECT_EQ(5000, ReadCompleteThrough(txns));
  txns[ProgressAppId(kId, 0)] = 7;
  EXPECT_FALSE(ReadCompleteThrough(txns)) << "nothing is known of partition 0";
  PutCompleteThrough(kId, 0, 4000, &txns);
  EXPECT_EQ(4000, ReadCompleteThrough(txns));
}

TEST(PartitionState, ADeletedTopicDoesNotHoldBackTheTimeOfTheNextOne) {
  Txns txns = AtProgress(50);
  PutCompleteThrough(kId, 1, 5000, &txns);
  txns[ProgressAppId("old", 0)] = 7;
  EXPECT_EQ(5000, ReadCompleteThrough(txns));
  PutCompleteThrough("old", 0, 3000, &txns);
  EXPECT_EQ(5000, ReadCompleteThrough(txns));
}

TEST(PartitionState, LostRangesAreSortedByNumber) {
  Txns txns = AtProgress(50);
  PutLost(kId, {1, 10, 20}, &txns);
  PutLost(kId, {1, 9, 10}, &txns);
  PutLost(kId, {1, 10, 15}, &txns);
  PutLost(kId, {1, 30, 31}, &txns);
  PutLost(kId, {1, 30, 40}, &txns);
  const std::string prefix = std::string("shopstream-state/") + kId + "/1/lost/";
  txns[prefix + "x"] = txns[prefix + "-1"] = txns[prefix + "1x"] = txns[prefix + "45"] = 44;
  EXPECT_EQ((std::vector<OffsetRange>{{1, 9, 10}, {1, 10, 20}, {1, 30, 40}}),
            ReadPartitionState(txns, kId, 1).lost);
}

TEST(PartitionState, AnAcceptedLossEndsTheStop) {
  Txns txns = AtProgress(50);
  Put(kId, 1, SomePosition(50), &txns);
  Put(kId, 1, Stop{StopReason::kOtherRecord, 1, 2}, &txns);
  PutAccepted(kId, 1, 50, &txns);
  const PartitionState state = ReadPartitionState(txns, kId, 1);
  EXPECT_FALSE(state.stopped());
  EXPECT_EQ(50, state.accepted);
  EXPECT_FALSE(state.position.last);
  EXPECT_EQ(-1, state.position.end_epoch);
  EXPECT_EQ(SomePosition(50).empty, state.position.empty);
}

TEST(PartitionState, OnlyWhatChangesIsWritten) {
  Txns table = AtProgress(50);
  Put(kId, 1, SomePosition(50), &table);
  PutLost(kId, {1, 2, 9}, &table);

  Position moved = SomePosition(50);
  moved.empty->to = 60;
  Txns changes = AtProgress(50);
  Put(kId, 1, moved, &changes);
  Put(kId, 1, Stop{}, &changes);
  PutLost(kId, {1, 2, 8}, &changes);
  PutLost(kId, {1, 3, 4}, &changes);
  DropKnown(table, &changes);
  const std::string prefix = std::string("shopstream-state/") + kId + "/1/";
  EXPECT_EQ((Txns{{ProgressAppId(kId, 1), 50}, {prefix + "empty-to", 60}, {prefix + "lost/3", 4}}),
            changes);
}

TEST(PartitionState, AnEndedStopIsWritten) {
  Txns table = AtProgress(50);
  Put(kId, 1, Stop{StopReason::kOtherRecord, 1, 2}, &table);
  Txns changes;
  Put(kId, 1, Stop{}, &changes);
  DropKnown(table, &changes);
  ASSERT_EQ(1u, changes.size());
  EXPECT_EQ(0, changes.begin()->second);
}

TEST(LastRecordComparison, WhatIsUnknownIsNotCompared) {
  const LastRecord record{5, 3, 1000, 77};
  const auto with = [&record](auto change) {
    LastRecord other = record;
    change(other);
    return MayBeSame(record, other) && MayBeSame(other, record);
  };
  EXPECT_TRUE(with([](LastRecord&) {}));
  EXPECT_FALSE(with([](LastRecord& r) { r.offset = 6; }));
  EXPECT_FALSE(with([](LastRecord& r) { r.leader_epoch = 4; }));
  EXPECT_TRUE(with([](LastRecord& r) { r.leader_epoch = -1; }));
  EXPECT_FALSE(with([](LastRecord& r) { r.hash = 78; }));
  EXPECT_FALSE(with([](LastRecord& r) { r.timestamp_ms = -1; }));
  EXPECT_TRUE(with([](LastRecord& r) { r = {5, 3, -1, 0}; }));
}

TEST(EmptyOffsetsTest, SkipAddsCountAndSum) {
  EmptyOffsets empty{0, 100, 0, 0};
  empty.Skip(5, 5);
  empty.Skip(7, 5);
  EXPECT_EQ((EmptyOffsets{0, 100, 0, 0}), empty);
  empty.Skip(5, 8);
  EXPECT_EQ((EmptyOffsets{0, 100, 3, 18}), empty);
  empty.Skip(10, 14);
  EXPECT_EQ((EmptyOffsets{0, 100, 7, 18 + 46}), empty);
}

TEST(EmptyOffsetsTest, RemoveUndoesSkip) {
  const int64_t end = std::numeric_limits<int64_t>::max();
  EmptyOffsets kept{0, end, 0, 0}, part{0, end, 0, 0}, both{0, end, 0, 0};
  kept.Skip(3, 9);
  part.Skip(end - 10, end - 7);
  both.Skip(3, 9);
  both.Skip(end - 10, end - 7);
  both.Remove(part);
  EXPECT_EQ(kept, both);
}

TEST(EmptyOffsetsTest, TheSumWraps) {
  const int64_t end = std::numeric_limits<int64_t>::max();
  EmptyOffsets piecewise{0, end, 0, 0}, whole{0, end, 0, 0};
  whole.Skip(end - 10, end);
  for (int64_t offset = end - 10; offset < end; ++offset) piecewise.Skip(offset, offset + 1);
  EXPECT_EQ(piecewise, whole);
  EXPECT_GE(whole.sum, 0);

  EmptyOffsets all{0, end, 0, 0}, halves{0, end, 0, 0};
  all.Skip(0, end);
  halves.Skip(0, end / 3);
  halves.Skip(end / 3, end);
  EXPECT_EQ(halves, all);
}

}  // namespace
}  // namespace shopstream::tables
