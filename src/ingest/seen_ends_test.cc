#include "ingest/seen_ends.h"

#include <gtest/gtest.h>

namespace shopstream::ingest {
namespace {

TEST(SeenEndsTest, TheNewestEndThatWasReachedCounts) {
  SeenEnds ends;
  EXPECT_FALSE(ends.CompleteThrough(1000));
  ends.Add(5000, 10);
  ends.Add(10'000, 20);
  EXPECT_FALSE(ends.CompleteThrough(9));
  EXPECT_EQ(5000, ends.CompleteThrough(10));
  EXPECT_EQ(5000, ends.CompleteThrough(19));
  EXPECT_EQ(10'000, ends.CompleteThrough(20));
}

TEST(SeenEndsTest, AnIdlePartitionIsCompleteThroughTheLastQuestion) {
  SeenEnds ends;
  for (int64_t at = 0; at < 1000; ++at) ends.Add(at, 7);
  EXPECT_EQ(999, ends.CompleteThrough(7));
  EXPECT_EQ(1u, ends.size());
}

TEST(SeenEndsTest, AWallClockThatIsSetBackTakesNothingBack) {
  SeenEnds ends;
  ends.Add(9000, 7);
  ends.Add(4000, 7);
  ends.Add(4500, 8);
  EXPECT_EQ(9000, ends.CompleteThrough(8));
}

TEST(SeenEndsTest, ALongBacklogKeepsFewOfThem) {
  SeenEnds ends;
  for (int64_t i = 0; i < 10'000; ++i) ends.Add(i, i * 10);
  EXPECT_LE(ends.size(), SeenEnds::kMost);
  for (int64_t next = 0; next < 100'000; next += 777) {
    const auto through = ends.CompleteThrough(next);
    ASSERT_TRUE(through) << next;
    EXPECT_LE(*through * 10, next);
  }
  EXPECT_GE(*ends.CompleteThrough(100'000), 9900);
}

}  // namespace
}  // namespace shopstream::ingest
