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
  EXPECT_EQ(sessions.Find(id, kStart + Sessions::kLifetime - Millis{1}), (Caller{"ann", true}));
  EXPECT_EQ(sessions.Find(id, kStart + Sessions::kLifetime), std::nullopt);
}

TEST(Sessions, HaveIdsThatNobodyCanGuess) {
  Sessions sessions;
  const std::string one = *sessions.Begin({"ann", true}, kStart);
  const std::string other = *sessions.Begin({"ann", true}, kStart);
  EXPECT_NE(one, other);
  EXPECT_EQ(sessions.Find("", kStart), std::nullopt);
  EXPECT_EQ(sessions.Find(std::string(64, '0'), kStart), std::nullopt);
}

TEST(Sessions, End) {
  Sessions sessions;
  const std::string id = *sessions.Begin({"ann", false}, kStart);
  sessions.End(id);
  EXPECT_EQ(sessions.Find(id, kStart), std::nullopt);
}

TEST(Sessions, AreBounded) {
  Sessions sessions;
  std::vector<std::string> ids;
  for (size_t i = 0; i <= Sessions::kMost; ++i) {
    ids.push_back(*sessions.Begin({"ann", false}, kStart + Millis{i}));
  }
  EXPECT_EQ(sessions.Find(ids.front(), kStart), std::nullopt);
  EXPECT_NE(sessions.Find(ids[1], kStart), std::nullopt);
  EXPECT_NE(sessions.Find(ids.back(), kStart), std::nullopt);
}

TEST(CookieValue, FindsANameAmongOthers) {
  EXPECT_EQ(CookieValue("a=1; session=x=y; b=2", "session"), "x=y");
  EXPECT_EQ(CookieValue("session=1", "session"), "1");
  EXPECT_EQ(CookieValue("my_session=1; b", "session"), "");
  EXPECT_EQ(CookieValue("", "session"), "");
}

}  // namespace
}  // namespace shopstream::console
