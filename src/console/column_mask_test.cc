#include "console/column_mask.h"

#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream::console {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const auto kAddress =
    arrow::struct_({arrow::field("street", arrow::utf8()), arrow::field("city", arrow::utf8())});
const auto kSchema = arrow::schema(
    {arrow::field("event_id", arrow::utf8()), arrow::field("address", kAddress),
     arrow::field("address_street", arrow::utf8()), arrow::field("address_city", arrow::utf8()),
     arrow::field("tags", arrow::map(arrow::utf8(), arrow::utf8())),
     arrow::field("topic_", arrow::utf8()), arrow::field("street", arrow::utf8())});

TEST(ColumnMaskTest, AColumnWithAMaskedPathIsHiddenWithItsCopies) {
  const Masking masking({"Address.Street"});
  EXPECT_THAT(ColumnMask(masking, *kSchema).ColumnsOf(*kSchema), ElementsAre(1, 2, 4));
}

TEST(ColumnMaskTest, ACopyOfANestedFieldIsHiddenByTheNameOfTheField) {
  const Masking masking({"city"});
  EXPECT_THAT(ColumnMask(masking, *kSchema).ColumnsOf(*kSchema), ElementsAre(1, 3, 4));
  EXPECT_EQ(ColumnMask(masking, *kSchema).HideIn("address_city=Rome/date=2025-10-24/x"),
            "address_city=*/date=2025-10-24/x");
}

TEST(ColumnMaskTest, ARenamedColumnIsHiddenByTheNameOfItsField) {
  const Masking masking({"topic"});
  const ColumnMask mask(masking, *kSchema);
  EXPECT_THAT(mask.ColumnsOf(*kSchema), ElementsAre(4, 5));
  EXPECT_TRUE(mask.hides("bronze_topic"));
}

TEST(ColumnMaskTest, WithoutAMaskNothingIsHidden) {
  const Masking masking({});
  EXPECT_THAT(ColumnMask(masking, *kSchema).ColumnsOf(*kSchema), IsEmpty());
}

}  // namespace
}  // namespace shopstream::console
