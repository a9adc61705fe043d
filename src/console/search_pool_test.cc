#include "console/search_pool.h"

#include <gtest/gtest.h>

#include "base/error_kind.h"

namespace shopstream::console {
namespace {

std::unique_ptr<RecordSearch> Search() {
  return RecordSearch::Open(SearchRequest{}, Config{}, SearchProgress{}).ValueOrDie();
}

TEST(SearchPoolTest, ASearchIsTakenOnceByItsCursor) {
  SearchPool pool;
  pool.Keep("a", Search());
  EXPECT_EQ(pool.Take("b"), nullptr);
  EXPECT_NE(pool.Take("a"), nullptr);
  EXPECT_EQ(pool.Take("a"), nullptr);
}

TEST(SearchPoolTest, TheOneThatHasWaitedLongestGivesWay) {
  SearchPool pool;
  for (size_t i = 0; i <= SearchPool::kMostKept; ++i) pool.Keep(std::to_string(i), Search());
  EXPECT_EQ(pool.Take("0"), nullptr);
  for (size_t i = 1; i <= SearchPool::kMostKept; ++i) {
    EXPECT_NE(pool.Take(std::to_string(i)), nullptr) << i;
  }
}

TEST(SearchPoolTest, AtMostSoManyRunAtTheSameTime) {
  SearchPool pool;
  std::vector<SearchPool::Turn> turns;
  for (int i = 0; i < SearchPool::kMostRunning; ++i) {
    turns.push_back(pool.Begin().ValueOrDie());
  }
  EXPECT_TRUE(IsUnavailable(pool.Begin().status()));
  turns.pop_back();
  EXPECT_TRUE(pool.Begin().ok());
}

}  // namespace
}  // namespace shopstream::console
