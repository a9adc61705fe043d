#include "ingest/start_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error_kind.h"

namespace shopstream::ingest {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using Members = std::vector<kafka::GroupMember>;

// A guard of lake "m" whose group has these members at each question; the last answer stays.
GroupGuard Guard(std::vector<Result<Members>> answers) {
  return {"g", ClientIdOf("m"), [answers, at = size_t{0}]() mutable {
            return answers[std::min(at++, answers.size() - 1)];
          }};
}

const kafka::GroupMember kOurs{"shopstream-m", "shopstream-m-1 at 10.0.0.1"};
const kafka::GroupMember kEarlier{"shopstream", "shopstream-2 at 10.0.0.2"};
const kafka::GroupMember kLower{"shopstream-a", "shopstream-a-3 at 10.0.0.3"};
const kafka::GroupMember kHigher{"shopstream-z", "shopstream-z-4 at 10.0.0.4"};

constexpr Millis kShort{1};
constexpr Millis kLong{60'000};

TEST(GroupGuard, OurOwnMembersAndThoseOfOtherProgramsMayStay) {
  EXPECT_TRUE(Guard({Members{}}).AwaitOthers(kShort, {}).ok());
  EXPECT_TRUE(Guard({Members{kOurs, kEarlier}}).AwaitOthers(kShort, {}).ok());
}

TEST(GroupGuard, ALiveMemberOfAnotherLakeIsRefusedAndBothAreNamed) {
  const Status refused = Guard({Members{kOurs, kHigher}}).AwaitOthers(kShort, {});
  EXPECT_TRUE(refused.IsInvalid());
  EXPECT_THAT(refused.message(),
              AllOf(HasSubstr("shopstream-z-4 at 10.0.0.4"), HasSubstr("shopstream-m")));
}

TEST(GroupGuard, ADeadMemberIsWaitedFor) {
  EXPECT_TRUE(Guard({Members{kLower}, Members{kLower}, Members{}}).AwaitOthers(kLong, {}).ok());
}

TEST(GroupGuard, AnOutageIsNoReasonToRefuseButAMissingPermissionIs) {
  EXPECT_TRUE(Guard({Unavailable("no broker")}).AwaitOthers(kShort, {}).ok());
  EXPECT_FALSE(Guard({Refused("no permission")}).AwaitOthers(kShort, {}).ok());
}

TEST(GroupGuard, AStopEndsTheWait) {
  EXPECT_TRUE(
      Guard({Members{kLower}}).AwaitOthers(kLong, StopToken([] { return true; })).IsCancelled());
}

TEST(GroupGuard, OfTwoThatStartTogetherExactlyOneStops) {
  const auto later = BootClock::now() + std::chrono::minutes(1);
  EXPECT_FALSE(Guard({Members{kOurs, kLower}}).Look(later).ok());
  EXPECT_TRUE(Guard({Members{kOurs, kHigher}}).Look(later).ok());
  EXPECT_TRUE(Guard({Unavailable("no broker")}).Look(later).ok());
}

}  // namespace
}  // namespace shopstream::ingest
