#include "records/read_start.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace shopstream::records {
namespace {

using testing::ElementsAre;
using Form = ReadStart::Form;

std::vector<OffsetRange> Choose(const ReadStart& start, const std::map<int32_t, int64_t>& times) {
  return ChooseRanges({{0, {.log_start = 10, .end = 20}}, {1, {.log_start = 5, .end = 5}}}, start,
                      times, /*to_end=*/true);
}

TEST(ReadStartTest, EachFormIsLimitedToTheOffsetsThatKafkaHas) {
  const auto begin = [](const ReadStart& start, int64_t at_time = -1) {
    const auto ranges = Choose(start, {{0, at_time}});
    return ranges.empty() ? -1 : ranges.front().begin;
  };
  EXPECT_EQ(begin({Form::kStart}), 10);
  EXPECT_EQ(begin({Form::kEnd}), -1);
  EXPECT_EQ(begin({Form::kOffset, 3}), 10);
  EXPECT_EQ(begin({Form::kOffset, 12}), 12);
  EXPECT_EQ(begin({Form::kOffset, 99}), -1);
  EXPECT_EQ(begin({Form::kAfterStart, 2}), 12);
  EXPECT_EQ(begin({Form::kAfterStart, std::numeric_limits<int64_t>::max()}), -1);
  EXPECT_EQ(begin({Form::kBeforeEnd, 3}), 17);
  EXPECT_EQ(begin({Form::kBeforeEnd, std::numeric_limits<int64_t>::max()}), 10);
  EXPECT_EQ(begin({Form::kTime, 1}, 15), 15);
  EXPECT_EQ(begin({Form::kTime, 1}, -1), -1);
}

TEST(ReadStartTest, AnOpenEndFollowsTheTopic) {
  const auto ranges = ChooseRanges({{0, {.log_start = 0, .end = 4}}}, {Form::kEnd}, {}, false);
  ASSERT_EQ(ranges.size(), 1);
  EXPECT_EQ(ranges[0].begin, 4);
  EXPECT_EQ(ranges[0].end, std::numeric_limits<int64_t>::max());
}

TEST(ReadStartTest, TheFormsAreRead) {
  EXPECT_EQ(ParseReadStart("@2025-10-24T08:15:30Z")->number, 1761293730000);
  EXPECT_EQ(ParseReadStart("@1761293730000")->form, Form::kTime);
  EXPECT_EQ(ParseReadStart("-7")->form, Form::kBeforeEnd);
  for (const char* wrong : {"", "@", "@x", "+", "--1", "1x", "latest"}) {
    EXPECT_TRUE(ParseReadStart(wrong).status().IsInvalid()) << wrong;
  }
  EXPECT_THAT(*ParsePartitions("2,0,2"), ElementsAre(0, 2));
  EXPECT_TRUE(ParsePartitions("0,").status().IsInvalid());
}

}  // namespace
}  // namespace shopstream::records
