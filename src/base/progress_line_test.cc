#include "base/progress_line.h"

#include <gtest/gtest.h>

namespace shopstream {
namespace {

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
