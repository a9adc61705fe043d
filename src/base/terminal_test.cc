#include "base/terminal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace shopstream {
namespace {

using ::testing::ElementsAre;

TEST(Terminal, CountsColumns) {
  EXPECT_EQ(DisplayWidth(""), 0u);
  EXPECT_EQ(DisplayWidth("café"), 4u);
  EXPECT_EQ(DisplayWidth("cafe\u0301"), 4u);
  EXPECT_EQ(DisplayWidth("東京"), 4u);
  EXPECT_EQ(DisplayWidth("ok 🚀"), 5u);
}

TEST(Terminal, CutsAtWholeCharacters) {
  EXPECT_EQ(FirstColumns("abc", 2), "ab");
  EXPECT_EQ(FirstColumns("3 · 4", 4), "3 · ");
  EXPECT_EQ(FirstColumns("東京", 3), "東");
  EXPECT_EQ(FirstColumns("abc", 0), "");
  EXPECT_EQ(FirstColumns("abc", 9), "abc");
}

TEST(Terminal, WrapsAtWords) {
  EXPECT_THAT(WrapWords("start the broker, or correct it", 10),
              ElementsAre("start the", "broker, or", "correct it"));
  EXPECT_THAT(WrapWords("/a/very/long/path is gone", 6),
              ElementsAre("/a/ver", "y/long", "/path", "is", "gone"));
  EXPECT_THAT(WrapWords("", 5), ElementsAre(""));
  EXPECT_THAT(WrapWords("東京 大阪", 5), ElementsAre("東京", "大阪"));
}

TEST(Terminal, ATerminalHasAWidthAndAFileHasNone) {
  EXPECT_EQ(StyleOf(-1).columns, TerminalStyle().columns);
  winsize size{.ws_row = 24, .ws_col = 57, .ws_xpixel = 0, .ws_ypixel = 0};
  int outer = -1, inner = -1;
  ASSERT_EQ(openpty(&outer, &inner, nullptr, nullptr, &size), 0);
  setenv("TERM", "xterm", 1);
  unsetenv("NO_COLOR");
  EXPECT_EQ(StyleOf(inner).columns, 57u);
  EXPECT_TRUE(StyleOf(inner).colour);
  setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(StyleOf(inner).colour);
  unsetenv("NO_COLOR");
  size.ws_col = 0;  // Unknown.
  ASSERT_EQ(ioctl(outer, TIOCSWINSZ, &size), 0);
  EXPECT_EQ(StyleOf(inner).columns, 80u);
  close(inner);
  close(outer);
}

}  // namespace
}  // namespace shopstream
