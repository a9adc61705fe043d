#include "tables/replayed_offsets.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <utility>

namespace shopstream::tables {
namespace {

TEST(ReplayedOffsetsTest, NeighboursBecomeRuns) {
  ReplayedOffsets offsets;
  EXPECT_EQ("", offsets.Format());
  for (const int64_t offset : {10, 5, 7, 6, 8}) EXPECT_TRUE(offsets.Insert(2, offset));
  EXPECT_FALSE(offsets.Insert(2, 7));
  EXPECT_TRUE(offsets.Insert(0, 0));
  EXPECT_EQ("0:0;2:5+3,1", offsets.Format());
  EXPECT_EQ(6, offsets.size());
  EXPECT_TRUE(offsets.Contains(2, 8));
  EXPECT_FALSE(offsets.Contains(2, 9));
  EXPECT_FALSE(offsets.Contains(1, 5));
}

TEST(ReplayedOffsetsTest, AnySetReadsBackAndMerges) {
  std::mt19937 random(7);
  ReplayedOffsets all;
  std::set<std::pair<int32_t, int64_t>> expected;
  for (int round = 0; round < 20; ++round) {
    ReplayedOffsets some;
    for (int i = 0; i < 200; ++i) {
      const std::pair<int32_t, int64_t> one = {random() % 3, random() % 500};
      some.Insert(one.first, one.second);
      expected.insert(one);
    }
    const auto read = ReplayedOffsets::Parse(some.Format());
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(some.Format(), read->Format());
    all.Merge(*read);
    ASSERT_EQ(std::ssize(expected), all.size());
  }
  for (int32_t partition = 0; partition < 3; ++partition) {
    for (int64_t offset = 0; offset < 500; ++offset) {
      ASSERT_EQ(expected.contains({partition, offset}), all.Contains(partition, offset));
    }
  }
}

TEST(ReplayedOffsetsTest, ADifferenceIsThatOfSets) {
  std::mt19937 random(11);
  const auto some_runs = [&random] {
    ReplayedOffsets offsets;
    for (int i = 0; i < 15; ++i) {
      const int64_t begin = random() % 200;
      offsets.InsertRun(static_cast<int32_t>(random() % 2), begin, begin + 1 + random() % 20);
    }
    return offsets;
  };
  for (int round = 0; round < 200; ++round) {
    const ReplayedOffsets offsets = some_runs(), other = some_runs();
    const ReplayedOffsets rest = offsets.Without(other);
    int64_t in_runs = 0;
    rest.ForEachRun([&](int32_t, int64_t begin, int64_t end) { in_runs += end - begin; });
    EXPECT_EQ(in_runs, rest.size());
    for (int32_t partition = 0; partition < 2; ++partition) {
      for (int64_t offset = 0; offset < 230; ++offset) {
        ASSERT_EQ(offsets.Contains(partition, offset) && !other.Contains(partition, offset),
                  rest.Contains(partition, offset));
      }
    }
    EXPECT_TRUE(rest.Without(rest).empty());
  }
}

TEST(ReplayedOffsetsTest, DamagedTextIsRefused) {
  for (const char* text : {"x", "1", "1:", "1:5+", "1:5,", "1:-5", "1:5 ", "99999999999:1",
                           "1:99999999999999999999", "1:2,3x"}) {
    EXPECT_FALSE(ReplayedOffsets::Parse(text).ok()) << text;
  }
}

}  // namespace
}  // namespace shopstream::tables
