#include "kafka/span_answers.h"

#include <gtest/gtest.h>

#include "base/error_kind.h"

namespace shopstream::kafka {
namespace {

using Partitions = std::vector<int32_t>;

std::vector<PartitionState> Led(const std::vector<int32_t>& leaders) {
  std::vector<PartitionState> states;
  for (const int32_t leader : leaders) {
    PartitionState& state = states.emplace_back();
    state.id = static_cast<int32_t>(states.size()) - 1;
    state.leader = leader;
  }
  return states;
}

void AnswerAll(SpanAnswers* answers) {
  for (const int32_t partition : answers->open()) {
    answers->Set(partition, &OffsetSpan::log_start, partition);
    answers->Set(partition, &OffsetSpan::end, 100 + partition);
  }
}

TEST(SpanAnswersTest, AnswersComeInTheOrderOfTheQuestion) {
  SpanAnswers answers("t", {2, 0});
  answers.ExcludeLeaderless(Led({1, 1, 1}));
  EXPECT_EQ(answers.open(), (Partitions{2, 0}));
  AnswerAll(&answers);
  const auto spans = answers.Finish(Status::OK());
  ASSERT_EQ(spans.size(), 2);
  EXPECT_EQ(spans[0]->log_start, 2);
  EXPECT_EQ(spans[0]->end, 102);
  EXPECT_EQ(spans[1]->end, 100);
}

TEST(SpanAnswersTest, APartitionWithoutALeaderFailsAlone) {
  SpanAnswers answers("t", {0, 1, 5});
  answers.ExcludeLeaderless(Led({3, -1}));
  EXPECT_EQ(answers.open(), Partitions{0});
  AnswerAll(&answers);
  const auto spans = answers.Finish(Status::OK());
  EXPECT_EQ(spans[0]->end, 100);
  EXPECT_TRUE(IsUnavailable(spans[1].status()));
  EXPECT_NE(spans[1].status().message().find("partition 1 of topic t has no leader"),
            std::string::npos);
  EXPECT_TRUE(spans[2].status().IsKeyError());
}

TEST(SpanAnswersTest, APartitionThatFailedIsNotAskedAgain) {
  SpanAnswers answers("t", {0, 1});
  answers.Set(0, &OffsetSpan::log_start, 7);
  answers.Set(1, &OffsetSpan::log_start, Unavailable("moved"));
  EXPECT_EQ(answers.open(), Partitions{0});
  answers.Set(0, &OffsetSpan::end, 9);
  const auto spans = answers.Finish(Status::OK());
  EXPECT_EQ(spans[0]->log_start, 7);
  EXPECT_EQ(spans[1].status().message(), "moved");
}

TEST(SpanAnswersTest, ALeaderThatDoesNotAnswerFailsItsPartition) {
  SpanAnswers answers("t", {0, 1});
  answers.Set(0, &OffsetSpan::log_start, 0);
  answers.Set(0, &OffsetSpan::end, 0);
  answers.Set(1, &OffsetSpan::log_start, 0);
  const auto spans = answers.Finish(Status::OK());
  EXPECT_EQ(spans[0]->end, 0);
  EXPECT_TRUE(IsUnavailable(spans[1].status()));
}

TEST(SpanAnswersTest, ASilentLeaderIsWaitedForOnce) {
  SpanAnswers answers("t", {0, 1});
  answers.SetSilent(1);
  EXPECT_EQ(answers.open(), Partitions{0});
  AnswerAll(&answers);
  const auto spans = answers.Finish(Status::OK());
  EXPECT_TRUE(spans[0].ok());
  EXPECT_TRUE(IsUnavailable(spans[1].status()));
  EXPECT_NE(spans[1].status().message().find("partition 1 of topic t"), std::string::npos);
}

TEST(SpanAnswersTest, WithoutAClusterEveryPartitionHasItsError) {
  SpanAnswers answers("t", {0, 1});
  answers.ExcludeLeaderless(Led({-1, 2}));
  const auto spans = answers.Finish(Unavailable("no broker answers"));
  EXPECT_NE(spans[0].status().message().find("no leader"), std::string::npos);
  EXPECT_EQ(spans[1].status().message(), "no broker answers");
}

}  // namespace
}  // namespace shopstream::kafka
