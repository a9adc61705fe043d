#include "tables/progress.h"

#include <gtest/gtest.h>

namespace shopstream::tables {
namespace {

TEST(Progress, ReadsTopicIdAndPartition) {
  const auto key = ParseProgressAppId("shopstream/Xk3_-abcdefghijklmnopq/12");
  ASSERT_TRUE(key);
  EXPECT_EQ("Xk3_-abcdefghijklmnopq", key->topic_id);
  EXPECT_EQ(12, key->partition);
  EXPECT_EQ("shopstream/Xk3_-abcdefghijklmnopq/12", ProgressAppId(key->topic_id, key->partition));
}

TEST(Progress, LeavesOtherApplicationsAlone) {
  for (const char* app_id : {"", "shopstream", "shopstream/", "shopstream//0", "shopstream/id",
                             "shopstream/id/", "shopstream/id/x", "shopstream/id/-1", "spark/id/0",
                             "shopstream/id/99999999999", "shopstream/id/1x"}) {
    EXPECT_FALSE(ParseProgressAppId(app_id)) << app_id;
  }
}

TEST(Progress, OfAllTxnsOfATable) {
  const auto progress = ReadProgress({{"shopstream/a/0", 7}, {"shopstream/b/0", 9}, {"other", 1}});
  EXPECT_EQ(2u, progress.size());
  EXPECT_EQ(9, progress.at({"b", 0}));
}

}  // namespace
}  // namespace shopstream::tables
