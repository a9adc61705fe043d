#include "base/progress_line.h"

#include <gtest/gtest.h>

namespace shopstream {
namespace {

TEST(ProgressLine, CutsBetweenCharacters) {
  EXPECT_EQ("3 rows", FirstColumns("3 rows", 80));
  EXPECT_EQ("3 ro", FirstColumns("3 rows", 4));
  EXPECT_EQ("3 · ", FirstColumns("3 · 4", 4));
  EXPECT_EQ("3 ·", FirstColumns("3 ·", 3));
  EXPECT_EQ("", FirstColumns("rows", 0));
}

TEST(ProgressLine, IsDueAfterItsInterval) {
  const BootClock::time_point start{};
  ProgressLine line({.in_place = Millis{100}, .logged = Millis{100}}, start);
  EXPECT_FALSE(line.IsDue(start + Millis{99}));
  EXPECT_TRUE(line.IsDue(start + Millis{100}));
  line.Show("half way", start + Millis{150});
  EXPECT_FALSE(line.IsDue(start + Millis{249}));
  EXPECT_TRUE(line.IsDue(start + Millis{250}));
}

}  // namespace
}  // namespace shopstream
