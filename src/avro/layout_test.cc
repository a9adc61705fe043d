#include "avro/layout.h"

#include <arrow/type.h>
#include <gtest/gtest.h>

namespace shopstream::avro {
namespace {

TEST(LayoutTest, TypesThatDifferInMeaningAloneShareALayout) {
  EXPECT_EQ(Layout::kInt64, LayoutOf(*arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")));
  EXPECT_EQ(Layout::kText, LayoutOf(*arrow::binary()));
  EXPECT_EQ(Layout::kList, LayoutOf(*arrow::map(arrow::utf8(), arrow::int64())));
  EXPECT_FALSE(LayoutOf(*arrow::float32()));
}

TEST(LayoutTest, AColumnIsFollowedByWhatItHolds) {
  EXPECT_EQ(1, ColumnCount(*arrow::int64()));
  EXPECT_EQ(2, ColumnCount(*arrow::list(arrow::int64())));
  EXPECT_EQ(4, ColumnCount(*arrow::map(arrow::utf8(), arrow::int64())));
  EXPECT_EQ(4, ColumnCount(*arrow::struct_({arrow::field("a", arrow::int64()),
                                            arrow::field("b", arrow::list(arrow::utf8()))})));
}

TEST(LayoutTest, TheShapeIsThatOfTheFirstFields) {
  const auto one = arrow::schema({arrow::field("a", arrow::int64())});
  const auto same =
      arrow::schema({arrow::field("b", arrow::timestamp(arrow::TimeUnit::MICRO), false),
                     arrow::field("c", arrow::utf8())});
  const auto nested = arrow::schema({arrow::field("a", arrow::list(arrow::int64()))});
  const auto other = arrow::schema({arrow::field("a", arrow::list(arrow::utf8()))});
  EXPECT_EQ(ShapeOf(*one, 1), ShapeOf(*same, 1));
  EXPECT_NE(ShapeOf(*one, 1), ShapeOf(*same, 2));
  EXPECT_NE(ShapeOf(*nested, 1), ShapeOf(*other, 1));
}

TEST(LayoutTest, ValuesOfAFixedWidthTakeTheirBytes) {
  EXPECT_EQ(16, ValueBytes(Layout::kDouble, 2));
  EXPECT_EQ(8, ValueBytes(Layout::kInt32, 2));
  EXPECT_EQ(32, ValueBytes(Layout::kDecimal, 2));
  EXPECT_EQ(2, ValueBytes(Layout::kBool, 9));
  EXPECT_EQ(0, ValueBytes(Layout::kText, 2));
}

}  // namespace
}  // namespace shopstream::avro
