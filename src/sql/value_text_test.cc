#include "sql/value_text.h"

#include <arrow/builder.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "sql/testing.h"

namespace shopstream::sql {
namespace {

struct ValueCase {
  std::shared_ptr<arrow::DataType> type;
  std::string json, text, as_json;
};

TEST(ValueText, EveryTypeForPeopleAndAsJson) {
  const auto utc = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  const ValueCase cases[] = {
      {arrow::boolean(), "true", "true", "true"},
      {arrow::int64(), "-9223372036854775808", "-9223372036854775808", "-9223372036854775808"},
      {arrow::uint64(), "18446744073709551615", "18446744073709551615", "18446744073709551615"},
      {arrow::float64(), "0.1", "0.1", "0.1"},
      {arrow::float64(), "1234567.89", "1234567.89", "1234567.89"},
      {arrow::float64(), "NaN", "NaN", "\"NaN\""},
      {arrow::float64(), "-Inf", "-Infinity", "\"-Infinity\""},
      {arrow::float32(), "0.1", "0.1", "0.1"},
      {arrow::decimal128(38, 2), R"("123456789012345678901234567890.10")",
       "123456789012345678901234567890.10", "123456789012345678901234567890.10"},
      {arrow::decimal128(18, 8), R"("0.00000000")", "0.00000000", "0.00000000"},
      {arrow::decimal128(18, 8), R"("-0.00000012")", "-0.00000012", "-0.00000012"},
      {arrow::decimal128(9, 2), R"("-1234567.80")", "-1234567.80", "-1234567.80"},
      {arrow::decimal128(9, 0), R"("-7")", "-7", "-7"},
      {arrow::utf8(), R"("say \"x\"")", "say \"x\"", R"("say \"x\"")"},
      {arrow::binary(), R"("az")", "617a", R"("617a")"},
      {arrow::date32(), "20385", "2025-10-24", "\"2025-10-24\""},
      {utc, "1761293730123456", "2025-10-24T08:15:30.123456Z", "\"2025-10-24T08:15:30.123456Z\""},
      {utc, "1761293730120000", "2025-10-24T08:15:30.120Z", "\"2025-10-24T08:15:30.120Z\""},
      {utc, "-1000000", "1969-12-31T23:59:59Z", "\"1969-12-31T23:59:59Z\""},
      {arrow::timestamp(arrow::TimeUnit::NANO), "1", "1970-01-01T00:00:00.000000001",
       "\"1970-01-01T00:00:00.000000001\""},
      {arrow::list(arrow::utf8()), R"(["it's", null])", "['it''s', NULL]", R"(["it's", null])"},
      {arrow::struct_({arrow::field("a", arrow::int32()), arrow::field("b", arrow::date32())}),
       R"({"a": 1, "b": 0})", "{'a': 1, 'b': 1970-01-01}", R"({"a": 1, "b": "1970-01-01"})"},
      {arrow::map(arrow::utf8(), arrow::int32()), R"([["k", 1], ["l", null]])",
       "{'k': 1, 'l': NULL}", R"({"k": 1, "l": null})"},
      {arrow::map(arrow::int32(), arrow::int32()), "[[1, 2]]", "{1: 2}",
       R"([{"key": 1, "value": 2}])"},
      {arrow::time64(arrow::TimeUnit::MICRO), "3600000000", "01:00:00.000000",
       "\"01:00:00.000000\""},
  };
  for (const ValueCase& one : cases) {
    SCOPED_TRACE(one.type->ToString() + " " + one.json);
    // In a slice, after another value.
    const auto array = arrow::json::ArrayFromJSONString(one.type, "[null, " + one.json + "]")
                           .ValueOrDie()
                           ->Slice(1);
    EXPECT_EQ(one.text, ValueText(*array, 0));
    EXPECT_EQ(one.as_json, ValueJson(*array, 0));
  }
  const auto null = arrow::json::ArrayFromJSONString(arrow::int64(), "[null]").ValueOrDie();
  EXPECT_EQ("null", ValueJson(*null, 0));
}

TEST(ValueText, AnEnumerationIsItsValue) {
  const auto type = arrow::dictionary(arrow::int8(), arrow::utf8());
  const auto array = arrow::json::DictArrayFromJSONString(type, "[1, 0]", R"(["EU", "US"])");
  ASSERT_TRUE(array.ok());
  EXPECT_EQ("US", ValueText(**array, 0));
  EXPECT_EQ("\"EU\"", ValueJson(**array, 1));
}

TEST(IsNumber, AreThoseThatAlignRight) {
  EXPECT_TRUE(IsNumber(*arrow::int8()));
  EXPECT_TRUE(IsNumber(*arrow::decimal128(18, 2)));
  EXPECT_TRUE(IsNumber(*arrow::float64()));
  EXPECT_FALSE(IsNumber(*arrow::utf8()));
  EXPECT_FALSE(IsNumber(*arrow::date32()));
}

}  // namespace
}  // namespace shopstream::sql
