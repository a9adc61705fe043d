#include "base/nearest_name.h"

#include <gtest/gtest.h>

namespace shopstream {
namespace {

const std::vector<std::string> kCommands = {"topics", "table", "ingest", "quarantine", "audit"};

TEST(NearestName, FindsTheNameBehindASlip) {
  EXPECT_EQ("ingest", NearestName("ingets", kCommands));
  EXPECT_EQ("topics", NearestName("topic", kCommands));
  EXPECT_EQ("quarantine", NearestName("quarentin", kCommands));
  EXPECT_EQ("audit", NearestName("Audit", kCommands));
}

TEST(NearestName, IsSilentWhereNothingIsNear) {
  EXPECT_EQ("", NearestName("zzzzzz", kCommands));
  EXPECT_EQ("", NearestName("", kCommands));
  EXPECT_EQ("", NearestName(std::string(100'000, 'a'), kCommands));
  EXPECT_EQ("", DidYouMean("zzzzzz", kCommands));
}

TEST(NearestName, WhatFollowsAQuestionIsASentence) {
  EXPECT_EQ("; create it", Then("", "create it"));
  EXPECT_EQ("; did you mean 'audit'? Create it", Then(DidYouMean("Audit", kCommands), "create it"));
}

TEST(NearestName, TakesTheNearestOfSeveral) {
  EXPECT_EQ("kafka.group", NearestName("kafka.gruop", {"kafka.topic", "kafka.group"}));
}

}  // namespace
}  // namespace shopstream
