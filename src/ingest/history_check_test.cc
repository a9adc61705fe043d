#include "ingest/history_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/testing.h"
#include "kafka/record_hash.h"

namespace shopstream::ingest {
namespace {

using Kind = HistoryCheck::Step::Kind;
using tables::StopReason;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The lake has taken the record at offset 49, written in epoch 3.
class HistoryCheckTest : public ::testing::Test {
 protected:
  kafka::RecordView Record(int64_t offset, const std::string& value = "x", int32_t epoch = 3) {
    kafka::RecordView record = records_.Make(2, offset, value);
    record.leader_epoch = epoch;
    return record;
  }

  StartPosition Start(int64_t next, int32_t end_epoch, kafka::OffsetSpan span = {0, 90}) {
    StartPosition start = testing::StartAfter(2, next, span);
    const kafka::RecordView last = Record(49);
    start.position.last = {.offset = 49,
                           .leader_epoch = 3,
                           .timestamp_ms = last.timestamp_ms,
                           .hash = kafka::ContentHash(last)};
    start.position.end_epoch = end_epoch;
    return start;
  }

  static void ExpectValidation(const HistoryCheck::Step& step, int64_t offset, int32_t epoch) {
    EXPECT_EQ(Kind::kValidate, step.kind);
    EXPECT_EQ(2, step.at.partition);
    EXPECT_EQ(offset, step.at.offset);
    EXPECT_EQ(epoch, step.at.leader_epoch);
  }

  testing::Records records_;
};

TEST_F(HistoryCheckTest, WhatTheLakeKnowsNothingOfIsNotChecked) {
  EXPECT_FALSE(HistoryCheck::For(testing::StartAfter(2, 50, {0, 90})));
  EXPECT_FALSE(HistoryCheck::For(testing::StartAfter(2, std::nullopt, {0, 90})));
  EXPECT_FALSE(HistoryCheck::For(Start(91, 3))) << "it is stopped anyway";
}

TEST_F(HistoryCheckTest, TheLastRecordReadAgainIsEnoughIfNothingFollowsIt) {
  auto check = *HistoryCheck::For(Start(50, 3));
  EXPECT_EQ(49, check.read_from());
  EXPECT_EQ(Kind::kPassed, check.OnRecord(Record(49)).kind);
}

TEST_F(HistoryCheckTest, AnotherRecordAtItsOffsetFails) {
  for (const kafka::RecordView& other : {Record(49, "y"), Record(49, "x", 4)}) {
    const auto step = HistoryCheck::For(Start(50, 3))->OnRecord(other);
    EXPECT_EQ(Kind::kFailed, step.kind);
    EXPECT_EQ(StopReason::kOtherRecord, step.reason);
    EXPECT_EQ(49, step.at.offset);
  }
  kafka::RecordView later = Record(49);
  ++later.timestamp_ms;
  EXPECT_EQ(Kind::kFailed, HistoryCheck::For(Start(50, 3))->OnRecord(later).kind);
}

TEST_F(HistoryCheckTest, AnUnknownEpochIsNotCompared) {
  EXPECT_EQ(Kind::kPassed, HistoryCheck::For(Start(50, 3))->OnRecord(Record(49, "x", -1)).kind);
}

TEST_F(HistoryCheckTest, MarkersBehindTheLastRecordAreValidatedByTheirOwnEpoch) {
  auto check = *HistoryCheck::For(Start(55, 4));
  ExpectValidation(check.OnRecord(Record(49)), 55, 4);
  EXPECT_EQ(Kind::kPassed, check.OnEnd(55).kind);
}

TEST_F(HistoryCheckTest, WithoutTheEpochOfTheEndTheLastRecordVouchesForItselfOnly) {
  ExpectValidation(HistoryCheck::For(Start(55, -1))->OnRecord(Record(49)), 50, 3);
}

TEST_F(HistoryCheckTest, ATruncationInAnswerToTheValidationFails) {
  auto check = *HistoryCheck::For(Start(55, 4));
  check.OnRecord(Record(49));
  const auto step = check.OnTruncated();
  EXPECT_EQ(Kind::kFailed, step.kind);
  EXPECT_EQ(StopReason::kTruncated, step.reason);
  EXPECT_EQ(55, step.at.offset);
}

TEST_F(HistoryCheckTest, ATruncationBeforeItIsNoVerdictOnTheLake) {
  EXPECT_EQ(Kind::kStale, HistoryCheck::For(Start(55, 4))->OnTruncated().kind);
}

TEST_F(HistoryCheckTest, ALastRecordThatIsGoneIsReplacedByItsEpoch) {
  // Compacted, or expired.
  ExpectValidation(HistoryCheck::For(Start(50, 3))->OnRecord(Record(52)), 50, 3);
  ExpectValidation(HistoryCheck::For(Start(50, 3))->OnEnd(50), 50, 3);
  auto expired = *HistoryCheck::For(Start(50, -1, {70, 90}));
  EXPECT_EQ(70, expired.read_from());
  ExpectValidation(expired.OnRecord(Record(70, "z")), 70, 3);
}

TEST_F(HistoryCheckTest, ALogThatHasTheOffsetButNoRecordThereIsAnotherOne) {
  StartPosition start = Start(50, 3);
  start.removes_records = false;
  for (const auto& step :
       {HistoryCheck::For(start)->OnRecord(Record(52)), HistoryCheck::For(start)->OnEnd(60)}) {
    EXPECT_EQ(Kind::kFailed, step.kind);
    EXPECT_EQ(StopReason::kOtherRecord, step.reason);
    EXPECT_EQ(49, step.at.offset);
  }
  start.kafka.log_start = 51;
  EXPECT_EQ(Kind::kValidate, HistoryCheck::For(start)->OnRecord(Record(52)).kind) << "it expired";
}

TEST_F(HistoryCheckTest, AnEndAtTheLastRecordMeansThatTheLogIsShorterNow) {
  EXPECT_EQ(Kind::kStale, HistoryCheck::For(Start(50, 3))->OnEnd(49).kind);
}

TEST_F(HistoryCheckTest, WithoutARecordTheEpochOfTheMarkersIsCompared) {
  StartPosition start = testing::StartAfter(2, 50, {0, 90});
  start.position.end_epoch = 4;
  auto check = *HistoryCheck::For(start);
  EXPECT_EQ(50, check.read_from());
  ExpectValidation(check.OnRecord(Record(50)), 50, 4);
}

class HistoryChecksTest : public HistoryCheckTest {
 protected:
  // A poll with these records of the partition, and one of another.
  kafka::PollResult Poll(const std::vector<kafka::RecordView>& records) {
    kafka::PollResult polled;
    polled.batch.records = records;
    polled.batch.records.push_back(records_.Make(7, 1, "other"));
    return polled;
  }
  static std::vector<int64_t> Offsets(const kafka::PollResult& polled) {
    std::vector<int64_t> offsets;
    for (const auto& record : polled.batch.records) offsets.push_back(record.offset);
    return offsets;
  }

  BootClock::time_point now_{};
  testing::NotingSource source_;
  HistoryChecks checks_{&source_};
};

TEST_F(HistoryChecksTest, NothingIsReadBeforeTheVerdict) {
  EXPECT_EQ(49, checks_.Start(Start(55, 4), now_));
  auto polled = Poll({Record(49), Record(55), Record(56)});
  polled.ends = {{2, 57}, {7, 2}};
  auto findings = checks_.Look(&polled);
  EXPECT_THAT(source_.validated, ElementsAre(2));
  EXPECT_THAT(Offsets(polled), ElementsAre(1));
  EXPECT_THAT(polled.ends, ::testing::SizeIs(1));
  EXPECT_THAT(findings.passed, IsEmpty());
  polled = Poll({Record(55), Record(56)});
  findings = checks_.Look(&polled);
  EXPECT_THAT(findings.passed, ElementsAre(2));
  EXPECT_THAT(Offsets(polled), ElementsAre(55, 56, 1));
  EXPECT_FALSE(checks_.Runs(2));
}

TEST_F(HistoryChecksTest, TheLastRecordItselfIsNotReadTwice) {
  checks_.Start(Start(50, 3), now_);
  auto polled = Poll({Record(49), Record(50)});
  EXPECT_THAT(checks_.Look(&polled).passed, ElementsAre(2));
  EXPECT_THAT(Offsets(polled), ElementsAre(50, 1));
}

TEST_F(HistoryChecksTest, AFailureNamesTheReasonAndNothingIsRead) {
  checks_.Start(Start(50, 3), now_);
  auto polled = Poll({Record(49, "y"), Record(50)});
  const auto findings = checks_.Look(&polled);
  ASSERT_TRUE(findings.failed.contains(2));
  EXPECT_EQ(StopReason::kOtherRecord, findings.failed.at(2).reason);
  EXPECT_THAT(Offsets(polled), ElementsAre(1));
}

TEST_F(HistoryChecksTest, ATruncationOfACheckedPartitionIsItsVerdict) {
  const auto truncated = [&] {
    checks_.Start(Start(55, 4), now_);
    auto polled = Poll({Record(49)});
    checks_.Look(&polled);
    polled = Poll({});
    polled.truncated = {2, 7};
    const auto findings = checks_.Look(&polled);
    EXPECT_THAT(polled.truncated, ElementsAre(7));
    return findings;
  };
  const auto first = truncated();
  EXPECT_THAT(first.failed, IsEmpty()) << "it may answer an earlier question of the client";
  EXPECT_THAT(first.stale, ElementsAre(2));
  EXPECT_TRUE(truncated().failed.contains(2));
}

TEST_F(HistoryChecksTest, AValidationThatCannotBeAskedForIsTriedFromTheStart) {
  checks_.Start(Start(55, 4), now_);
  source_.validation = Status::IOError("not now");
  auto polled = Poll({Record(49)});
  EXPECT_THAT(checks_.Look(&polled).stale, ElementsAre(2));
}

TEST_F(HistoryChecksTest, WhatIsOverdueIsNamedOnce) {
  checks_.Start(Start(50, 3), now_);
  EXPECT_THAT(checks_.Overdue(now_ + Millis{29'000}), IsEmpty());
  EXPECT_THAT(checks_.Overdue(now_ + Millis{30'000}), ElementsAre(2));
  EXPECT_THAT(checks_.Overdue(now_ + Millis{90'000}), IsEmpty());
}

}  // namespace
}  // namespace shopstream::ingest
