#include "console/not_allowed.h"

#include <gtest/gtest.h>

#include "base/error_kind.h"
#include "base/json.h"

namespace shopstream::console {
namespace {

TEST(NotAllowedTest, ARefusalIsAStateWithReasonAndRemedy) {
  const auto answer = AsState(
      Refused("describing topic a at b:9094 is not allowed (x) for User:alice: grant it DESCRIBE"));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->at("state"), "not_allowed");
  EXPECT_EQ(answer->at("reason"), "describing topic a at b:9094 is not allowed (x) for User:alice");
  EXPECT_EQ(answer->at("remedy"), "grant it DESCRIBE");
}

TEST(NotAllowedTest, OtherErrorsAndAnswersStay) {
  EXPECT_TRUE(IsUnavailable(AsState(Unavailable("no answer: wait")).status()));
  EXPECT_EQ(AsState(nlohmann::ordered_json{{"a", 1}})->dump(), R"({"a":1})");
}

}  // namespace
}  // namespace shopstream::console
