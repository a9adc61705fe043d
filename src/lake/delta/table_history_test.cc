#include "lake/delta/table_history.h"

#include <gtest/gtest.h>

#include "lake/testing.h"

namespace shopstream::lake {
namespace {

using TableHistoryTest = testing::LakeTest;

TEST_F(TableHistoryTest, TheNewestVersionsComeFirst) {
  Append(0, 10);
  Append(10, 7);
  const auto records = ReadHistory(store_.get(), testing::kPath, 2).ValueOrDie();
  ASSERT_EQ(2U, records.size());
  EXPECT_EQ(2, records[0].version);
  EXPECT_EQ(7, records[0].rows_added);
  EXPECT_EQ("WRITE", records[0].operation);
  EXPECT_EQ(1, records[1].version);
}

TEST_F(TableHistoryTest, OnlyWhatCameAfterAVersion) {
  for (int64_t i = 0; i < 4; ++i) Append(10 * i, 1);
  const auto records = ReadHistory(store_.get(), testing::kPath, 100, 2).ValueOrDie();
  ASSERT_EQ(2U, records.size());
  EXPECT_EQ(4, records[0].version);
  EXPECT_EQ(3, records[1].version);
  EXPECT_TRUE(ReadHistory(store_.get(), testing::kPath, 100, 4)->empty());
}

}  // namespace
}  // namespace shopstream::lake
