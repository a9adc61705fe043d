#include "console/sessions.h"

#include <gtest/gtest.h>

#include <vector>

namespace shopstream::console {
namespace {

constexpr BootClock::time_point kStart{};

TEST(Sessions, LastTwelveHours) {
  Sessions sessions;
  const std::string id = *sessions.Begin({"ann", true}, kStart);
  EXPECT_EQ(id.size(), 64U);
  const auto found = sessions.Find(id, kStart + Sessions::kLifetime - Millis{1});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->caller, (Caller{"ann", true}));
  EXPECT_FALSE(sessions.Find(id, kStart + Sessions::kLifetime).has_value());
}

TEST(Sessions, HaveIdsThatNobodyCanGuess) {
  Sessions sessions;
  const std::string one = *sessions.Begin({"ann", true}, kStart);
  const std::string other = *sessions.Begin({"ann", true}, kStart);
  EXPECT_NE(one, other);
  EXPECT_FALSE(sessions.Find("", kStart).has_value());
  EXPECT_FALSE(sessions.Find(std::string(64, '0'), kStart).has_value());
}

TEST(Sessions, End) {
  Sessions sessions;
  const std::string id = *sessions.Begin({"ann", false}, kStart);
  sessions.End(id);
  EXPECT_FALSE(sessions.Find(id, kStart).has_value());
}

TEST(Sessions, AreBounded) {
  Sessions sessions;
  std::vector<std::string> ids;
  for (size_t i = 0; i <= Sessions::kMost; ++i) {
    ids.push_back(*sessions.Begin({"ann", false}, kStart + Millis{i}));
  }
  EXPECT_FALSE(sessions.Find(ids.front(), kStart).has_value());
  EXPECT_TRUE(sessions.Find(ids[1], kStart).has_value());
  EXPECT_TRUE(sessions.Find(ids.back(), kStart).has_value());
}

TEST(CookieValue, FindsANameAmongOthers) {
  EXPECT_EQ(CookieValue("a=1; session=x=y; b=2", "session"), "x=y");
  EXPECT_EQ(CookieValue("session=1", "session"), "1");
  EXPECT_EQ(CookieValue("my_session=1; b", "session"), "");
  EXPECT_EQ(CookieValue("", "session"), "");
}

}  // namespace
}  // namespace shopstream::console
