#include "console/group_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "base/json.h"

namespace shopstream::console {
namespace {

using kafka::ResetTarget;
using observe::LagPoint;
using testing::ElementsAre;
using testing::HasSubstr;

Result<groups::ResetRequest> Read(const std::string& body) {
  return ReadResetRequest("g", ParseJson(body));
}

TEST(GroupAnswersTest, ALagIsOnlySummedIfEveryPartitionHasIt) {
  const auto sum = SumOf({{{.second = 1, .records = 5, .seconds = 2, .in_rate = 1, .out_rate = -1},
                           {.second = 2, .records = 6, .seconds = 3}},
                          {{.second = 2, .records = 10, .seconds = 1}}});
  ASSERT_EQ(sum.size(), 1);
  EXPECT_EQ(sum[0].second, 2);
  EXPECT_EQ(sum[0].records, 16);
  EXPECT_EQ(sum[0].seconds, 3);
}

TEST(GroupAnswersTest, TheTimeToClearFollowsTheLastMinute) {
  EXPECT_EQ(ClearSeconds({}), std::nullopt);
  EXPECT_EQ(ClearSeconds({{.second = 1, .records = 9}}), std::nullopt);
  EXPECT_EQ(ClearSeconds({{.second = 1, .records = 0}}), 0);
  // 1000 fewer within 50 s; what was before is forgotten.
  EXPECT_EQ(ClearSeconds({{.second = 0, .records = 0},
                          {.second = 50, .records = 2000},
                          {.second = 100, .records = 1000}}),
            50);
  EXPECT_TRUE(
      std::isinf(*ClearSeconds({{.second = 1, .records = 9}, {.second = 2, .records = 9}})));
}

TEST(GroupAnswersTest, UnknownIsNullAndNeverZero) {
  const auto answer = HistoryAnswer({{.second = 2, .records = 7}}, 1000);
  EXPECT_THAT(answer["at_ms"], ElementsAre(3000));
  EXPECT_THAT(answer["records"], ElementsAre(7));
  EXPECT_TRUE(answer["seconds"][0].is_null());
  EXPECT_TRUE(answer["clear_seconds"].is_null());
}

TEST(GroupAnswersTest, AHistoryThatLacksPartitionsDoesNotSayWhenTheLagIsGone) {
  auto history = HistoryAnswer({{.second = 1, .records = 9}, {.second = 2, .records = 8}}, 0);
  LeaveOut(0, &history);
  EXPECT_EQ(history["partitions_left_out"], 0);
  EXPECT_FALSE(history["clear_seconds"].is_null());
  LeaveOut(2, &history);
  EXPECT_EQ(history["partitions_left_out"], 2);
  EXPECT_TRUE(history["clear_seconds"].is_null());
}

TEST(GroupAnswersTest, APartitionsCountIsOfTheGroupAndTopic) {
  observe::Sample sample;
  observe::GroupSample group;
  group.described.name = "g";
  group.committed = {{{"a", 0}, 1}, {{"a", 1}, 1}, {{"b", 0}, 1}};
  sample.groups.value = std::make_shared<observe::GroupsSample>(observe::GroupsSample{{group}});
  sample.groups.unknown.clear();
  EXPECT_EQ(PartitionsSeen(sample, "g", ""), 3);
  EXPECT_EQ(PartitionsSeen(sample, "g", "a"), 2);
  EXPECT_EQ(PartitionsSeen(sample, "other", ""), 0);
}

TEST(GroupAnswersTest, EveryTargetOfAResetIsRead) {
  EXPECT_EQ(Read(R"({"to": "earliest"})")->target.kind, ResetTarget::Kind::kEarliest);
  EXPECT_EQ(Read(R"({"to": "latest"})")->target.kind, ResetTarget::Kind::kLatest);
  EXPECT_EQ(Read(R"({"to": "offset", "offset": 7})")->target.number, 7);
  EXPECT_EQ(Read(R"({"to": "time", "time": "1970-01-01T00:00:01Z"})")->target.number, 1000);
  EXPECT_EQ(Read(R"({"to": "time", "time": 5})")->target.number, 5);
  const auto listed =
      Read(R"({"to": "listed", "offsets": [{"topic": "a", "partition": 1, "offset": 7}]})");
  EXPECT_EQ(listed->target.listed.at({"a", 1}), 7);
  const auto some = Read(R"({"to": "latest", "topics": {"a": [2, 0, 2], "b": []}})");
  EXPECT_THAT(some->chosen.at("a"), ElementsAre(0, 2));
  EXPECT_TRUE(some->chosen.at("b").empty());
}

TEST(GroupAnswersTest, AResetThatIsNotClearIsRefused) {
  for (const auto& [body, part] : std::initializer_list<std::pair<const char*, const char*>>{
           {"{}", "'to'"},
           {R"({"to": "last"})", "'to'"},
           {R"({"to": "offset"})", "'offset'"},
           {R"({"to": "offset", "offset": -1})", "'offset'"},
           {R"({"to": "time"})", "'time'"},
           {R"({"to": "time", "time": "soon"})", "soon"},
           {R"({"to": "listed", "offsets": []})", "'offsets'"},
           {R"({"to": "latest", "topics": ["a"]})", "'topics'"},
           {R"({"to": "latest", "topics": {"a": [-1]}})", "'topics'"},
           {R"({"to": "listed", "offsets": [{"topic": "a", "partition": 1, "offset": 7}],
                "topics": {"a": []}})",
            "leave 'topics' out"}}) {
    const auto read = Read(body);
    EXPECT_TRUE(read.status().IsInvalid()) << body;
    EXPECT_THAT(read.status().message(), HasSubstr(part));
  }
}

TEST(GroupAnswersTest, AnEmptyListNamesThePermission) {
  observe::Sample sample;
  sample.groups.value = std::make_shared<observe::GroupsSample>();
  EXPECT_EQ(GroupsAnswer(sample, "User:alice")["state"], "not_allowed");
  sample.groups.value = nullptr;
  EXPECT_EQ(GroupsAnswer(sample, "User:alice")["unknown"], observe::kNoAnswerYet);
}

}  // namespace
}  // namespace shopstream::console
