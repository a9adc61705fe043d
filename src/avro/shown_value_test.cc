#include "avro/shown_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "avro/testing.h"
#include "base/format.h"
#include "base/json.h"

namespace shopstream::avro {
namespace {

using testing::HasSubstr;

// The bytes in hexadecimal, or the error.
std::string Encode(const std::string& type, const std::string& value) {
  const auto encoded = EncodeShown(ParseJson(value), ParseSchemaText(type));
  return encoded.ok() ? FormatHex(*encoded) : encoded.status().message();
}

std::string Logical(const std::string& type, const std::string& logical,
                    const std::string& more = "") {
  return R"({"type": ")" + type + R"(", "logicalType": ")" + logical + "\"" + more + "}";
}

TEST(ShownValueTest, PlainTypes) {
  EXPECT_EQ(Encode(R"("int")", "-1"), "01");
  EXPECT_EQ(Encode(R"("long")", "64"), "8001");
  EXPECT_EQ(Encode(R"("boolean")", "true"), "01");
  EXPECT_EQ(Encode(R"("double")", "1"), "000000000000f03f");
  EXPECT_EQ(Encode(R"("string")", R"("ab")"), "046162");
  EXPECT_EQ(Encode(R"("bytes")", R"("00ff")"), "0400ff");
  EXPECT_EQ(Encode(R"({"type": "array", "items": "int"})", "[1, 2]"), "04020400");
  EXPECT_EQ(Encode(R"({"type": "map", "values": "int"})", R"({"a": 1})"), "0202610200");
  EXPECT_EQ(Encode(R"({"type": "enum", "name": "E", "symbols": ["A", "B"]})", R"("B")"), "02");
}

TEST(ShownValueTest, LogicalTypesAsTheyAreShown) {
  EXPECT_EQ(Encode(Logical("long", "timestamp-millis"), R"("1970-01-01T00:00:00.001Z")"), "02");
  EXPECT_EQ(Encode(Logical("long", "timestamp-micros"), R"("1970-01-01T00:00:00.001Z")"), "d00f");
  EXPECT_EQ(Encode(Logical("long", "timestamp-millis"), "1"), "02");
  EXPECT_EQ(Encode(Logical("int", "date"), R"("1970-01-02")"), "02");
  const std::string decimal = Logical("bytes", "decimal", R"(, "precision": 9, "scale": 2)");
  EXPECT_EQ(Encode(decimal, R"("12.50")"), "0404e2");
  EXPECT_EQ(Encode(decimal, "12.5"), "0404e2");
}

TEST(ShownValueTest, ANullableFieldTakesBothAndADefaultFillsIn) {
  const std::string type = R"({"type": "record", "name": "R", "fields": [
      {"name": "a", "type": ["null", "int"]}, {"name": "b", "type": "int", "default": 7}]})";
  EXPECT_EQ(Encode(type, R"({"a": null})"), "000e");
  EXPECT_EQ(Encode(type, R"({"a": 1, "b": 2})"), "020204");
}

TEST(ShownValueTest, AnErrorNamesThePlaceAndWhatItTakes) {
  const std::string type = R"({"type": "record", "name": "Order", "fields": [
      {"name": "items", "type": {"type": "array", "items": {"type": "record", "name": "Item",
       "fields": [{"name": "price", "type": "int"}]}}}]})";
  EXPECT_THAT(Encode(type, R"({"items": [{"price": 1}, {"price": "x"}]})"),
              HasSubstr(R"(items[1].price: "x" is no int)"));
  EXPECT_THAT(Encode(type, R"({"items": [{}]})"), HasSubstr("items[0].price is missing"));
  EXPECT_THAT(Encode(type, R"({"items": [], "itmes": 1})"), HasSubstr("has no field itmes"));
  EXPECT_THAT(Encode(R"("int")", "2147483648"), HasSubstr("is no int"));
  EXPECT_THAT(Encode(R"({"type": "fixed", "name": "F", "size": 2})", R"("00")"),
              HasSubstr("4 hexadecimal digits"));
}

}  // namespace
}  // namespace shopstream::avro
