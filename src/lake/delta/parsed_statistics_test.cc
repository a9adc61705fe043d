#include "lake/delta/parsed_statistics.h"

#include <arrow/json/from_string.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/json.h"

namespace shopstream::lake {
namespace {

using arrow::field;

// stats_parsed of one row with these bounds of a column v.
std::string Text(const std::shared_ptr<arrow::DataType>& type, const std::string& min,
                 const std::string& max) {
  const auto values = arrow::struct_({field("v", type)});
  const auto parsed = arrow::struct_(
      {field("numRecords", arrow::int64()), field("minValues", values), field("maxValues", values),
       field("nullCount", arrow::struct_({field("v", arrow::int64())}))});
  const auto rows = arrow::json::ArrayFromJSONString(
                        parsed, R"([{"numRecords":3,"minValues":{"v":)" + min +
                                    R"(},"maxValues":{"v":)" + max + R"(},"nullCount":{"v":1}}])")
                        .ValueOrDie();
  return StatisticsText(static_cast<const arrow::StructArray&>(*rows), 0);
}

std::string Expected(const std::string& min, const std::string& max) {
  return R"({"numRecords":3,"minValues":{"v":)" + min + R"(},"maxValues":{"v":)" + max +
         R"(},"nullCount":{"v":1}})";
}

TEST(ParsedStatisticsTest, EveryTypeComesBackAsJson) {
  struct Case {
    std::shared_ptr<arrow::DataType> type;
    const char* min;
    const char* max;
    const char* json_min;
    const char* json_max;
  };
  const std::string long_text(40, 'x');
  const std::string quoted = '"' + long_text + '"';
  const auto micros = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  const Case cases[] = {
      {arrow::boolean(), "false", "true", "false", "true"},
      {arrow::int8(), "-128", "127", "-128", "127"},
      {arrow::int16(), "-5", "5", "-5", "5"},
      {arrow::int32(), "-5", "5", "-5", "5"},
      {arrow::int64(), "-9223372036854775808", "9223372036854775807", "-9223372036854775808",
       "9223372036854775807"},
      {arrow::float32(), "0.1", "2", "0.1", "2.0"},
      {arrow::float64(), "-1.5", "1e300", "-1.5", "1e+300"},
      {arrow::utf8(), R"("a\"b")", R"("\u00e9t\u00e9")", R"("a\"b")", "\"\u00e9t\u00e9\""},
      {arrow::large_utf8(), R"("a")", quoted.c_str(), R"("a")", quoted.c_str()},
      {arrow::date32(), "-719162", "20000", R"("0001-01-01")", R"("2024-10-04")"},
      {micros, "1000", "2001", R"("1970-01-01T00:00:00.001Z")", R"("1970-01-01T00:00:00.003Z")"},
      {arrow::timestamp(arrow::TimeUnit::MILLI, "UTC"), "1", "2", R"("1970-01-01T00:00:00.001Z")",
       R"("1970-01-01T00:00:00.002Z")"},
      {arrow::decimal128(38, 9), R"("-12345678901234567890.123456789")", R"("0.000000000")",
       "-12345678901234567890.123456789", "0.000000000"},
      {arrow::decimal128(5, 0), R"("-7")", R"("12345")", "-7", "12345"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(Expected(each.json_min, each.json_max), Text(each.type, each.min, each.max))
        << each.type->ToString();
  }
}

TEST(ParsedStatisticsTest, WhatJsonHasNoNumberForIsAText) {
  EXPECT_EQ(Expected("\"-Infinity\"", "\"NaN\""), Text(arrow::float64(), "-Inf", "NaN"));
}

TEST(ParsedStatisticsTest, WhatIsNullOrCannotBeShownIsLeftOut) {
  EXPECT_EQ(R"({"numRecords":3,"maxValues":{"v":5},"nullCount":{"v":1}})",
            Text(arrow::int64(), "null", "5"));
  EXPECT_EQ(R"({"numRecords":3,"nullCount":{"v":1}})", Text(arrow::binary(), R"("a")", R"("b")"));
  EXPECT_EQ(R"({"numRecords":3,"minValues":{"v":"2024-10-04"},"nullCount":{"v":1}})",
            Text(arrow::date32(), "20000", "2147483647"));
}

TEST(ParsedStatisticsTest, StructsKeepTheirMembers) {
  const auto place = arrow::struct_({field("zip", arrow::int64()), field("city", arrow::utf8())});
  EXPECT_EQ(Expected(R"({"zip":1})", R"({"zip":9,"city":"x"})"),
            Text(place, R"({"zip":1,"city":null})", R"({"zip":9,"city":"x"})"));
}

TEST(ParsedStatisticsTest, ARowWithoutStatisticsHasNone) {
  const auto parsed = arrow::struct_({field("numRecords", arrow::int64())});
  const auto rows =
      arrow::json::ArrayFromJSONString(parsed, R"([null, {"numRecords":null}])").ValueOrDie();
  for (const int i : {0, 1}) {
    EXPECT_EQ("", StatisticsText(static_cast<const arrow::StructArray&>(*rows), i));
  }
}

TEST(ParsedStatisticsTest, EqualValuesAreOnePlainText) {
  EXPECT_EQ(
      PlainStatistics(R"({"numRecords":2,"minValues":{"a":1.50,"t":"2024-10-04T01:00:00Z"}})"),
      PlainStatistics(R"({"minValues":{"t":"2024-10-04T01:00:00.000Z","a":1.5,"x":null},)"
                      R"("numRecords":2,"maxValues":{"b":{}}})"));
  EXPECT_NE(PlainStatistics(R"({"numRecords":2,"minValues":{"a":1.5}})"),
            PlainStatistics(R"({"numRecords":2,"minValues":{"a":1.25}})"));
  EXPECT_NE(PlainStatistics(R"({"numRecords":2})"), PlainStatistics(R"({"numRecords":3})"));
}

}  // namespace
}  // namespace shopstream::lake
