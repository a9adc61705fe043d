#include "avro/column_types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "avro/testing.h"

namespace shopstream::avro {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string ColumnOf(std::string_view type) {
  const auto columns = ToArrowSchema(RecordOf(type));
  return columns.ok() ? (*columns)->field(0)->type()->ToString() : columns.status().message();
}

std::string Decimal(int precision) {
  return R"({"type": "bytes", "logicalType": "decimal", "precision": )" +
         std::to_string(precision) + R"(, "scale": 2})";
}

TEST(ColumnTypesTest, EveryTypeHasItsColumn) {
  EXPECT_EQ("int64", ColumnOf(R"("int")"));
  EXPECT_EQ("double", ColumnOf(R"("float")"));
  EXPECT_EQ("string", ColumnOf(R"("null")"));
  EXPECT_EQ("binary", ColumnOf(R"({"type": "fixed", "name": "F", "size": 4})"));
  EXPECT_EQ("string", ColumnOf(R"({"type": "enum", "name": "E", "symbols": ["A"]})"));
  EXPECT_EQ("date32[day]", ColumnOf(R"({"type": "int", "logicalType": "date"})"));
  EXPECT_EQ("int64", ColumnOf(R"({"type": "long", "logicalType": "local-timestamp-millis"})"));
  EXPECT_EQ("timestamp[us, tz=UTC]",
            ColumnOf(R"({"type": "long", "logicalType": "timestamp-nanos"})"));
  EXPECT_EQ("decimal128(38, 2)", ColumnOf(Decimal(38)));
  EXPECT_EQ("string", ColumnOf(Decimal(39)));
  EXPECT_THAT(ColumnOf(Decimal(1001)), HasSubstr("field \"f\": a decimal of 1001 digits"));
  EXPECT_EQ("list<element: int64>", ColumnOf(R"({"type": "array", "items": "int"})"));
  EXPECT_EQ("struct<_empty: string>", ColumnOf(R"({"type": "record", "name": "P", "fields": []})"));
}

TEST(ColumnTypesTest, AUnionOfOneTypeIsThatTypeAndOfSeveralAStruct) {
  EXPECT_EQ("int64", ColumnOf(R"(["int"])"));
  EXPECT_EQ("int64", ColumnOf(R"(["null", "int"])"));
  EXPECT_EQ("struct<long: int64, string: string>", ColumnOf(R"(["int", "null", "string"])"));
}

TEST(ColumnTypesTest, MembersThatDifferInCaseAloneTakeTheFullName) {
  const Schema schema = ParseSchemaText(R"([{"type": "fixed", "name": "a.X", "size": 1},
      {"type": "fixed", "name": "b.x", "size": 1}, "null", "int", "long"])");
  EXPECT_THAT(UnionMembers(UnionShape::Of(schema.root())),
              ElementsAre("a_X", "b_x", "int", "long"));
  const Schema other = ParseSchemaText(R"([{"type": "fixed", "name": "a.Ж", "size": 1},
      {"type": "fixed", "name": "b.ж", "size": 1}])");
  EXPECT_THAT(UnionMembers(UnionShape::Of(other.root())), ElementsAre("a_Ж", "b_ж"));
}

TEST(ColumnTypesTest, ATableHasNoRecursiveType) {
  EXPECT_THAT(ToArrowSchema(RecordOf(R"(["null", "R"])")).status().message(),
              HasSubstr("field \"f\": record R contains itself"));
}

}  // namespace
}  // namespace shopstream::avro
