#include "lineage/arrival.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream::lineage {
namespace {

using ::testing::HasSubstr;

const RecordKey kRecord{.topic_id = "t", .partition = 0, .offset = 50};

ArrivalFacts InKafka(int64_t log_start, int64_t end) {
  return {.kafka = {.topic_id = "t", .log_start = log_start, .end = end}};
}

TEST(ArrivalTest, RowsAndRemovalsDecideFirst) {
  ArrivalFacts facts = InKafka(0, 100);
  facts.erased = true;
  EXPECT_EQ(Arrival::kErased, JudgeArrival(kRecord, facts).arrival);
  facts.in_quarantine = true;
  EXPECT_EQ(Arrival::kQuarantined, JudgeArrival(kRecord, facts).arrival);
  facts.in_bronze = true;
  EXPECT_EQ(Arrival::kInLake, JudgeArrival(kRecord, facts).arrival);
}

TEST(ArrivalTest, BelowTheProgressAHoleIsLostEmptyOrMissing) {
  ArrivalFacts facts = InKafka(0, 100);
  facts.state.next = 60;
  EXPECT_EQ(Arrival::kNoRecord, JudgeArrival(kRecord, facts).arrival);
  facts.state.position.empty = {.from = 0, .to = 60, .count = 0, .sum = 0};
  EXPECT_EQ(Arrival::kMissing, JudgeArrival(kRecord, facts).arrival);
  facts.state.position.empty->count = 2;
  EXPECT_THAT(JudgeArrival(kRecord, facts).reason, HasSubstr("2 offsets"));
  facts.state.lost = {{0, 40, 51}};
  EXPECT_EQ(Arrival::kLost, JudgeArrival(kRecord, facts).arrival);
}

TEST(ArrivalTest, AboveItKafkaDecides) {
  EXPECT_EQ(Arrival::kAwaited, JudgeArrival(kRecord, InKafka(0, 51)).arrival);
  EXPECT_EQ(Arrival::kNotProduced, JudgeArrival(kRecord, InKafka(0, 50)).arrival);
  const auto removed = JudgeArrival(kRecord, InKafka(51, 100));
  EXPECT_EQ(Arrival::kLost, removed.arrival);
  EXPECT_EQ(false, removed.in_kafka);
  ArrivalFacts silent;
  silent.kafka.unknown = "no broker answers";
  const auto unknown = JudgeArrival(kRecord, silent);
  EXPECT_EQ(Arrival::kUnknown, unknown.arrival);
  EXPECT_THAT(unknown.reason, HasSubstr("no broker answers"));
  EXPECT_EQ(std::nullopt, unknown.in_kafka);
}

TEST(ArrivalTest, AStoppedPartitionAndADeletedTopicSaySo) {
  ArrivalFacts facts = InKafka(0, 100);
  facts.state.stop.reason = tables::StopReason::kOtherRecord;
  EXPECT_THAT(JudgeArrival(kRecord, facts).reason, HasSubstr("does not read this partition"));
  facts.topic_deleted = true;
  EXPECT_EQ(Arrival::kLost, JudgeArrival(kRecord, facts).arrival);
}

}  // namespace
}  // namespace shopstream::lineage
