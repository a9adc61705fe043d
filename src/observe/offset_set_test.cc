#include "observe/offset_set.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace shopstream::observe {
namespace {

using Ranges = std::vector<std::pair<int64_t, int64_t>>;

Ranges Gaps(const OffsetSet& set, int64_t begin, int64_t end) {
  Ranges gaps;
  set.ForEachGap(begin, end, [&](int64_t b, int64_t e) {
    if (!gaps.empty() && gaps.back().second == b) {
      gaps.back().second = e;
    } else {
      gaps.emplace_back(b, e);
    }
  });
  return gaps;
}

TEST(OffsetSetTest, InsertSaysWhetherTheOffsetIsNew) {
  OffsetSet set;
  EXPECT_TRUE(set.Insert(7));
  EXPECT_FALSE(set.Insert(7));
  EXPECT_TRUE(set.Insert(int64_t{1} << 60));
  EXPECT_EQ(2u, set.pages().size());
}

TEST(OffsetSetTest, GapsOfASparseSet) {
  constexpr int64_t kFar = int64_t{1} << 60;
  OffsetSet set;
  EXPECT_EQ((Ranges{{5, kFar}}), Gaps(set, 5, kFar));
  EXPECT_EQ(Ranges(), Gaps(set, 5, 5));
  for (const int64_t offset : {int64_t{7}, int64_t{8}, int64_t{63}, kFar}) set.Insert(offset);
  EXPECT_EQ((Ranges{{5, 7}, {9, 63}, {64, kFar}, {kFar + 1, kFar + 3}}), Gaps(set, 5, kFar + 3));
  EXPECT_EQ((Ranges{{64, 100}}), Gaps(set, 63, 100));
  EXPECT_EQ(Ranges(), Gaps(set, 7, 9));
}

TEST(OffsetSetTest, GapsAcrossPages) {
  OffsetSet set;
  for (int64_t offset = 0; offset < 3 * OffsetSet::kOffsetsPerPage; ++offset) {
    if (offset != 10 && offset != OffsetSet::kOffsetsPerPage) set.Insert(offset);
  }
  const int64_t page = OffsetSet::kOffsetsPerPage;
  EXPECT_EQ((Ranges{{10, 11}, {page, page + 1}, {3 * page, 3 * page + 5}}),
            Gaps(set, 0, 3 * page + 5));
}

}  // namespace
}  // namespace shopstream::observe
