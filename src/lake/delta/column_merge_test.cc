#include "lake/delta/column_merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream::lake {
namespace {

using testing::HasSubstr;

std::shared_ptr<arrow::Schema> Columns(const arrow::FieldVector& fields) {
  return arrow::schema(fields);
}

const auto kA = arrow::field("a", arrow::int64());
const auto kB = arrow::field("b", arrow::utf8());

TEST(ColumnMergeTest, NewColumnsComeBehindTheTablesOwnAndMayBeNull) {
  const auto table = Columns({kA});
  EXPECT_EQ(*MergeColumns(table, *Columns({kA})), table) << "nothing is new";
  const auto merged = *MergeColumns(table, *Columns({kB->WithNullable(false), kA}));
  EXPECT_TRUE(merged->Equals(*Columns({kA, kB}))) << merged->ToString();
  EXPECT_EQ(*MergeColumns(merged, *table), merged) << "a column that is not written stays";
}

TEST(ColumnMergeTest, MembersOfNestedColumnsMerge) {
  const auto element = [](const arrow::FieldVector& members) {
    return Columns({arrow::field("n", arrow::list(arrow::struct_(members)))});
  };
  const auto merged = *MergeColumns(element({kA}), *element({kB}));
  EXPECT_TRUE(merged->Equals(*element({kA, kB}))) << merged->ToString();
  EXPECT_TRUE(CheckColumns(*merged, *element({kA})).ok());
  EXPECT_THAT(CheckColumns(*element({kA}), *element({kA, kB})).message(),
              HasSubstr("lacks members"));
}

TEST(ColumnMergeTest, WhatIsNoGrowthIsRefused) {
  const auto table = Columns({kA->WithNullable(false)});
  EXPECT_THAT(
      MergeColumns(Columns({kA}), *Columns({arrow::field("a", arrow::utf8())})).status().message(),
      HasSubstr("column a is int64 in the table, but string in the rows to write"));
  EXPECT_THAT(MergeColumns(table, *Columns({kA})).status().message(),
              HasSubstr("must not be null in the table"));
  EXPECT_THAT(MergeColumns(table, *Columns({kB})).status().message(),
              HasSubstr("requires a value in column a"));
  EXPECT_THAT(
      MergeColumns(Columns({kA}), *Columns({arrow::field("A", arrow::int64())})).status().message(),
      HasSubstr("only in case"));
}

}  // namespace
}  // namespace shopstream::lake
