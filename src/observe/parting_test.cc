#include "observe/parting.h"

#include <gtest/gtest.h>

namespace shopstream::observe {
namespace {

using tables::StopReason;

kafka::RecordView Sent(int64_t offset, int64_t timestamp_ms) {
  kafka::RecordView record;
  record.offset = offset;
  record.timestamp_ms = timestamp_ms;
  return record;
}

// A lake with the records 0 to 99, sent at a thousand times their offset; 50 was a marker.
class PartingTest : public testing::Test {
 protected:
  PartingTest() {
    for (int64_t offset = 0; offset < 100; ++offset) {
      if (offset == 50) continue;
      rows_.Insert(offset);
      sample_.AddTimestamp(offset, offset * 1'000'000);
    }
  }
  Parting Read(int64_t from, int64_t same_to, int64_t end) {
    Parting parting(from, sample_, &rows_);
    for (int64_t o = from; o < same_to; ++o) {
      if (o != 50) parting.Add(Sent(o, o * 1000));
    }
    for (int64_t o = same_to; o < end; ++o) parting.Add(Sent(o, o * 1000 + 7));
    return parting;
  }

  OffsetSet rows_;
  ContentSample sample_;
};

TEST_F(PartingTest, TheSameHistoryDoesNotPart) {
  EXPECT_FALSE(Read(10, 100, 100).at());
  EXPECT_EQ(0, Read(10, 100, 100).records().count);
}

TEST_F(PartingTest, PartsAtTheFirstOtherRecord) {
  const Parting parting = Read(10, 60, 90);
  EXPECT_EQ(60, parting.at());
  EXPECT_EQ(30, parting.records().count);
  EXPECT_EQ(60'007, parting.records().first_ms);
  EXPECT_EQ(89'007, parting.records().last_ms);
}

TEST_F(PartingTest, RowsWithoutARecordPart) {
  Parting refilled = Read(10, 60, 60);  // With records that nobody reads, such as aborted ones.
  refilled.Finish(100);
  EXPECT_EQ(60, refilled.at());
  EXPECT_FALSE(refilled.agrees());
  Parting whole = Read(10, 100, 100);
  whole.Finish(104);  // Markers follow.
  EXPECT_FALSE(whole.at());
  EXPECT_TRUE(whole.agrees());
}

TEST_F(PartingTest, PartsAtTheLogStartIfNothingAgrees) { EXPECT_EQ(10, Read(10, 10, 20).at()); }

TEST_F(PartingTest, ARecordThatTheLakeHasNotIsAnotherOne) {
  EXPECT_EQ(50, Read(10, 50, 51).at()) << "there was a marker";
}

TEST_F(PartingTest, AnUnsampledRecordNeitherAgreesNorParts) {
  Parting parting(0, ContentSample(), &rows_);
  for (int64_t o = 0; o < 10; ++o) parting.Add(Sent(o, 1));
  EXPECT_FALSE(parting.at());
}

tables::PartitionState Stopped(StopReason reason, int64_t kafka_offset) {
  tables::PartitionState state;
  state.next = 100;
  state.stop = {reason, 1, kafka_offset};
  state.position.last = tables::LastRecord{.offset = 94};
  return state;
}

TEST_F(PartingTest, TheLossIsFromThePartingToTheProgress) {
  const Parting unknown(0, ContentSample(), &rows_);
  const auto loss = [](StopReason reason, int64_t seen, int64_t kafka_end, const Parting& parting) {
    return LossOf(1, Stopped(reason, seen), kafka_end, parting, 0);
  };
  EXPECT_EQ((OffsetRange{1, 60, 100}), loss(StopReason::kBeyondEnd, -1, 60, Read(0, 60, 60)));
  EXPECT_EQ((OffsetRange{1, 60, 100}), loss(StopReason::kBeyondEnd, 60, 200, unknown))
      << "grown since";
  EXPECT_EQ((OffsetRange{1, 55, 100}), loss(StopReason::kBeyondEnd, 60, 200, Read(0, 55, 100)))
      << "grown before it was seen";
  EXPECT_EQ((OffsetRange{1, 94, 100}), loss(StopReason::kOtherRecord, -1, 200, unknown));
  EXPECT_EQ((OffsetRange{1, 60, 100}), loss(StopReason::kOtherRecord, 94, 200, Read(0, 60, 100)));
  EXPECT_EQ((OffsetRange{1, 95, 100}), loss(StopReason::kTruncated, -1, 200, unknown));
  EXPECT_EQ((OffsetRange{1, 97, 100}), loss(StopReason::kTruncated, -1, 200, Read(0, 97, 100)));
}

TEST_F(PartingTest, NothingIsLostOnceKafkaHasTheHistoryAgain) {
  for (const auto reason :
       {StopReason::kBeyondEnd, StopReason::kOtherRecord, StopReason::kTruncated}) {
    EXPECT_EQ((OffsetRange{1, 100, 100}),
              LossOf(1, Stopped(reason, 60), 200, Read(0, 100, 100), 0));
  }
  EXPECT_EQ((OffsetRange{1, 60, 100}),
            LossOf(1, Stopped(StopReason::kBeyondEnd, 60), 99, Read(0, 99, 99), 0))
      << "not yet all of it";
}

TEST_F(PartingTest, TheLossIncludesQuarantinedRecordsOfAnotherHistory) {
  EXPECT_EQ((OffsetRange{1, 100, 120}),
            LossOf(1, Stopped(StopReason::kOtherRecord, 110), 200, Read(0, 100, 100), 120));
  EXPECT_EQ((OffsetRange{1, 94, 120}),
            LossOf(1, Stopped(StopReason::kOtherRecord, 94), 200, Read(0, 94, 100), 120));
  EXPECT_EQ((OffsetRange{1, 60, 120}),
            LossOf(1, Stopped(StopReason::kBeyondEnd, 60), 60, Read(0, 60, 60), 120));
}

TEST(EmptyIn, CountsWhatTheLedgerCountsThere) {
  OffsetSet rows;
  for (int64_t o = 0; o < 100; ++o) {
    if (o < 20 || (o >= 30 && o != 60 && o != 70 && o < 98)) rows.Insert(o);
  }
  tables::PartitionState state;
  state.next = 100;
  state.lost = {{1, 20, 30}, {1, 70, 71}};
  const auto empty_in = [&](int64_t begin) { return EmptyIn({1, begin, 100}, state, rows); };
  EXPECT_EQ(0, empty_in(0).count) << "no ledger";
  state.position.empty = tables::EmptyOffsets{10, 100, 3, 60 + 98 + 99};
  EXPECT_EQ(3, empty_in(0).count);
  EXPECT_EQ(60 + 98 + 99, empty_in(0).sum);
  EXPECT_EQ(2, empty_in(61).count);
  EXPECT_EQ(98 + 99, empty_in(61).sum);
}

}  // namespace
}  // namespace shopstream::observe
