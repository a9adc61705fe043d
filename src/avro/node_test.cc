#include "avro/node.h"

#include <gtest/gtest.h>

#include "avro/testing.h"

namespace shopstream::avro {
namespace {

TEST(NodeTest, OnlyPrimitivesAreFoundByName) {
  EXPECT_EQ(Kind::kNull, PrimitiveKind("null"));
  EXPECT_EQ(Kind::kString, PrimitiveKind("string"));
  EXPECT_FALSE(PrimitiveKind("record"));
  EXPECT_FALSE(PrimitiveKind("Int"));
  EXPECT_STREQ("fixed", Name(Kind::kFixed));
}

TEST(NodeTest, TheShortNameHasNoNamespace) {
  EXPECT_EQ("Order", ShortName("com.shop.Order"));
  EXPECT_EQ("Order", ShortName("Order"));
}

TEST(NodeTest, DescribesATypeForPeople) {
  EXPECT_EQ(
      "long (timestamp-millis)",
      Describe(ParseSchemaText(R"({"type": "long", "logicalType": "timestamp-millis"})").root()));
  EXPECT_EQ(
      "union of null, a.F",
      Describe(ParseSchemaText(R"(["null", {"type": "fixed", "name": "a.F", "size": 1}])").root()));
}

}  // namespace
}  // namespace shopstream::avro
