#include "kafka/offset_reset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error_kind.h"

namespace shopstream::kafka {
namespace {

using Kind = ResetTarget::Kind;
using ::testing::HasSubstr;

const TopicPartition kAt{"clicks", 1};

ResetFacts Facts(std::optional<int64_t> committed, int64_t at_time = -1) {
  return {committed, OffsetSpan{.log_start = 10, .end = 20}, at_time};
}

TEST(OffsetReset, EachTargetHasItsOffset) {
  const ResetFacts facts = Facts(15, 12);
  EXPECT_EQ(10, PlanReset(kAt, {Kind::kEarliest}, facts).after);
  EXPECT_EQ(20, PlanReset(kAt, {Kind::kLatest}, facts).after);
  EXPECT_EQ(12, PlanReset(kAt, {Kind::kTime, 1'000}, facts).after);
  EXPECT_EQ(17, PlanReset(kAt, {Kind::kOffset, 17}, facts).after);
  EXPECT_EQ(18, PlanReset(kAt, {Kind::kListed, 0, {{kAt, 18}}}, facts).after);
  const OffsetReset reset = PlanReset(kAt, {Kind::kEarliest}, facts);
  EXPECT_EQ(15, reset.before);
  EXPECT_EQ("", reset.note);
  EXPECT_EQ(20, reset.span->end);
}

TEST(OffsetReset, AnOffsetThatKafkaDoesNotHaveIsRefused) {
  for (const int64_t offset : {9, 21}) {
    const OffsetReset reset = PlanReset(kAt, {Kind::kOffset, offset}, Facts(15));
    EXPECT_FALSE(reset.after);
    EXPECT_THAT(reset.note, HasSubstr("only 10 to 20"));
  }
  for (const int64_t offset : {10, 20}) {
    EXPECT_EQ(offset, PlanReset(kAt, {Kind::kOffset, offset}, Facts(15)).after);
  }
}

TEST(OffsetReset, ATimeAfterTheLastRecordIsTheEnd) {
  const OffsetReset reset = PlanReset(kAt, {Kind::kTime, 1'000}, Facts({}, -1));
  EXPECT_EQ(20, reset.after);
  EXPECT_FALSE(reset.before);
  EXPECT_THAT(reset.note, HasSubstr("no record is that late"));
}

TEST(OffsetReset, ATimeWithinAnOpenTransactionIsItsBeginning) {
  EXPECT_EQ(20, PlanReset(kAt, {Kind::kTime, 1'000}, Facts({}, 23)).after);
}

TEST(OffsetReset, APartitionThatDoesNotAnswerIsNamedWithTheReason) {
  const ResetFacts no_leader{15, Unavailable("it has no leader"), -1};
  const OffsetReset reset = PlanReset(kAt, {Kind::kEarliest}, no_leader);
  EXPECT_FALSE(reset.after);
  EXPECT_FALSE(reset.span);
  EXPECT_EQ("it has no leader", reset.note);

  ResetFacts no_time = Facts(15);
  no_time.at_time = Unavailable("no answer");
  EXPECT_EQ("no answer", PlanReset(kAt, {Kind::kTime, 1'000}, no_time).note);
  EXPECT_EQ(10, PlanReset(kAt, {Kind::kEarliest}, no_time).after);
}

TEST(OffsetReset, APartitionThatTheFileDoesNotListIsNotReset) {
  const OffsetReset reset = PlanReset({"clicks", 2}, {Kind::kListed, 0, {{kAt, 18}}}, Facts(15));
  EXPECT_FALSE(reset.after);
  EXPECT_NE("", reset.note);
}

TEST(OffsetFile, LinesBecomeOffsets) {
  const auto offsets = ParseOffsetFile(
      "topic,partition,offset\n# by hand\n\nclicks,0,4711\r\n  \"views\" , 12 , 0", "f.csv");
  ASSERT_TRUE(offsets.ok()) << offsets.status();
  const std::map<TopicPartition, int64_t> expected = {{{"clicks", 0}, 4711}, {{"views", 12}, 0}};
  EXPECT_EQ(expected, *offsets);
}

TEST(OffsetFile, WrongLinesAreNamed) {
  for (const char* line :
       {"clicks", "clicks,0", "clicks,0,", "clicks,0,x", "clicks,-1,5", "clicks,0,-5", ",0,5",
        "clicks,0,5,6", "clicks,99999999999,5", "clicks,0,99999999999999999999", "\"\",0,5", ",,",
        "topic,partition,offset"}) {
    const auto offsets = ParseOffsetFile("clicks,7,1\n" + std::string(line) + "\n", "f.csv");
    ASSERT_FALSE(offsets.ok()) << line;
    EXPECT_THAT(offsets.status().message(), HasSubstr("f.csv:2: expected")) << line;
  }
  EXPECT_THAT(ParseOffsetFile("a,0,1\na,0,2", "f").status().message(), HasSubstr("listed twice"));
  EXPECT_THAT(ParseOffsetFile("", "f").status().message(), HasSubstr("lists no offset"));
  EXPECT_THAT(ParseOffsetFile("# none\n", "f").status().message(), HasSubstr("lists no offset"));
}

}  // namespace
}  // namespace shopstream::kafka
