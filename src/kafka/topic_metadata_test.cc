#include "kafka/topic_metadata.h"

#include <gtest/gtest.h>

namespace shopstream::kafka {
namespace {

TEST(AllPartitionsTest, CountsFromZero) {
  EXPECT_EQ(AllPartitions(3), (std::vector<int32_t>{0, 1, 2}));
}

}  // namespace
}  // namespace shopstream::kafka
