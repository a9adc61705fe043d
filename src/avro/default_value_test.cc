#include "avro/default_value.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>

#include "avro/testing.h"
#include "base/json.h"

namespace shopstream::avro {
namespace {

using nlohmann::json;

// A field of the type with the default.
Field FieldOf(const Schema& type, std::string_view value) {
  Field field;
  field.name = "f";
  field.type = &type.root();
  field.default_value = std::make_shared<const json>(json::parse(value));
  return field;
}

bool Allows(std::string_view type, std::string_view value) {
  const Schema schema = ParseSchemaText(type);
  int64_t steps_left = kMaxDefaultSteps;
  return IsReadableDefault(FieldOf(schema, value), &steps_left);
}

bool JavaAllows(std::string_view type, std::string_view value) {
  const Schema schema = ParseSchemaText(type);
  int64_t steps_left = kMaxDefaultSteps;
  return IsDefaultOf(FieldOf(schema, value), &steps_left);
}

TEST(DefaultValueTest, TheJsonOfEachTypeIsAllowedAndNoOther) {
  EXPECT_TRUE(Allows(R"("null")", "null"));
  EXPECT_FALSE(Allows(R"("null")", "0"));
  EXPECT_TRUE(Allows(R"("int")", "-2147483648"));
  EXPECT_FALSE(Allows(R"("int")", "2147483648"));
  EXPECT_FALSE(Allows(R"("int")", "1.5"));
  EXPECT_TRUE(Allows(R"("long")", "9223372036854775807"));
  EXPECT_FALSE(Allows(R"("long")", "9223372036854775808"));
  EXPECT_TRUE(Allows(R"("float")", "1"));
  EXPECT_FALSE(Allows(R"("boolean")", "0"));
  EXPECT_TRUE(Allows(R"("bytes")", R"("\u00ff")"));
  EXPECT_FALSE(Allows(R"("bytes")", R"("\u0100")"));
  EXPECT_TRUE(Allows(R"({"type": "fixed", "name": "F", "size": 2})", R"("\u00ffa")"));
  EXPECT_FALSE(Allows(R"({"type": "fixed", "name": "F", "size": 2})", R"("a")"));
  EXPECT_FALSE(Allows(R"({"type": "enum", "name": "E", "symbols": ["A"]})", R"("B")"));
  EXPECT_TRUE(Allows(R"(["null", "string"])", R"("a")"));  // Any branch.
  EXPECT_FALSE(Allows(R"({"type": "array", "items": "int"})", R"([1, "a"])"));
  EXPECT_TRUE(Allows(R"({"type": "map", "values": "int"})", R"({"a": 1})"));
}

TEST(DefaultValueTest, JavaAcceptsAnyTextForBytesFixedAndEnum) {
  EXPECT_TRUE(JavaAllows(R"("bytes")", R"("\u0100")"));
  EXPECT_TRUE(JavaAllows(R"({"type": "fixed", "name": "F", "size": 2})", R"("a")"));
  EXPECT_TRUE(JavaAllows(R"({"type": "enum", "name": "E", "symbols": ["A"]})", R"("B")"));
  EXPECT_FALSE(JavaAllows(R"("bytes")", "1"));
  EXPECT_FALSE(JavaAllows(R"("int")", "1.0"));
  EXPECT_FALSE(JavaAllows(R"({"type": "array", "items": "int"})", "null"));
}

TEST(DefaultValueTest, AFloatsMayBeTheTextOfANumber) {
  for (const char* text :
       {"NaN", "-Infinity", "0.0", " 1.5d ", ".5", "1.", "+1e3", "1e400", "4f"}) {
    EXPECT_TRUE(JavaAllows(R"("double")", json(text).dump())) << text;
  }
  for (const char* text : {"", "nan", "inf", "1,5", "d", "1 2", "Infinity5", "0x1"}) {
    EXPECT_FALSE(JavaAllows(R"("float")", json(text).dump())) << text;
  }
  EXPECT_FALSE(JavaAllows(R"(["null", "double"])", R"("0.0")"));
  EXPECT_EQ(-1500, NumberOfDefault("-1.5e3"));
  EXPECT_EQ(0, NumberOfDefault("1e-400"));
  EXPECT_EQ(std::numeric_limits<double>::infinity(), NumberOfDefault("1e400"));
}

TEST(DefaultValueTest, AFieldThatARecordLeavesOutTakesItsOwn) {
  const char* const record = R"({"type": "record", "name": "P", "fields": [
      {"name": "x", "type": "int"}, {"name": "y", "type": "int", "default": 5}]})";
  EXPECT_TRUE(Allows(record, R"({"x": 1})"));
  EXPECT_FALSE(Allows(record, R"({"y": 1})"));
  std::string encoded;
  EncodeDefault(json::parse(R"({"x": 1})"), ParseSchemaText(record).root(), &encoded);
  EXPECT_EQ("\x02\x0a", encoded);
}

TEST(DefaultValueTest, StepsBoundTheWork) {
  const Schema list = ParseSchemaText(R"({"type": "array", "items": "int"})");
  int64_t steps_left = 3;
  EXPECT_FALSE(IsDefaultOf(FieldOf(list, "[1, 2, 3]"), &steps_left));
  EXPECT_LT(steps_left, 0);
}

TEST(DefaultValueTest, EncodesAsAvroDoes) {
  const auto encoded = [](std::string_view type, std::string_view value) {
    std::string out;
    EncodeDefault(json::parse(value), ParseSchemaText(type).root(), &out);
    return std::vector<uint8_t>(out.begin(), out.end());
  };
  EXPECT_EQ(Bytes("02 02 61"), encoded(R"(["null", "string"])", R"("a")"));
  EXPECT_EQ(Bytes("02 ff"), encoded(R"("bytes")", R"("\u00ff")"));
  EXPECT_EQ(Bytes("04 02 04 00"), encoded(R"({"type": "array", "items": "int"})", "[1, 2]"));
  EXPECT_EQ(Bytes("00"), encoded(R"({"type": "array", "items": "int"})", "[]"));
  EXPECT_EQ(Bytes("02 02 6b 02 00"), encoded(R"({"type": "map", "values": "int"})", R"({"k": 1})"));
  EXPECT_EQ(Bytes("02"),
            encoded(R"({"type": "enum", "name": "E", "symbols": ["A", "B"]})", R"("B")"));
  EXPECT_EQ(Bytes("00 00 00 00 00 00 f8 3f"), encoded(R"("double")", "1.5"));
  EXPECT_EQ(Bytes("00 00 c0 3f"), encoded(R"("float")", R"("1.5")"));
}

}  // namespace
}  // namespace shopstream::avro
