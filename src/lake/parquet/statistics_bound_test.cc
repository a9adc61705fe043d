#include "lake/parquet/statistics_bound.h"

#include <arrow/util/decimal.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace shopstream::lake {
namespace {

TEST(TextBound, IsRaisedAtACharacter) {
  EXPECT_EQ("abc", UpperTextBound("abc", 3));
  EXPECT_EQ("abd", UpperTextBound("abcd", 3));
  EXPECT_EQ("日\u672d", UpperTextBound("日本語", 2));           // U+672C raised to U+672D.
  EXPECT_EQ("b", UpperTextBound("a\U0010FFFF\U0010FFFFx", 3));  // The last ones cannot be raised.
  EXPECT_EQ("\uE000", UpperTextBound("\uD7FFx", 1));            // Surrogates are skipped.
  EXPECT_EQ("\u0080", UpperTextBound("\x7Fx", 1));              // One byte longer.
  EXPECT_EQ(std::nullopt, UpperTextBound("\U0010FFFFx", 1));
  EXPECT_EQ(std::nullopt, UpperTextBound("\xFF", 3));
  EXPECT_EQ("日", LowerTextBound("日本語", 1));
}

TEST(TimestampBoundTest, RoundsToTheSafeSide) {
  EXPECT_EQ("1970-01-01T00:00:00.001Z", TimestampBound(1, true));
  EXPECT_EQ("1970-01-01T00:00:00.000Z", TimestampBound(1, false));
  EXPECT_EQ("1969-12-31T23:59:59.999Z", TimestampBound(-1, false));
  EXPECT_EQ("1970-01-01T00:00:00.000Z", TimestampBound(-1, true));
  EXPECT_EQ("2025-10-25T00:00:00.000Z", TimestampBound(1761350399999001, true));
  EXPECT_EQ("0001-01-01T00:00:00.000Z", TimestampBound(-62135596800000000, false));
  EXPECT_EQ("9999-12-31T23:59:59.999Z", TimestampBound(253402300799999000, true));
  EXPECT_EQ("9999-12-31T23:59:59.999Z", TimestampBound(253402300799999999, false));
  // The next millisecond is in a year that the text cannot represent.
  EXPECT_EQ("9999-12-31T23:59:59.999999Z", TimestampBound(253402300799999999, true));
  for (const int64_t beyond : {std::numeric_limits<int64_t>::min(), int64_t{-62135596800000001},
                               int64_t{253402300800000000}, int64_t{2060000000000000000},
                               std::numeric_limits<int64_t>::max()}) {
    EXPECT_EQ(std::nullopt, TimestampBound(beyond, false)) << beyond;
    EXPECT_EQ(std::nullopt, TimestampBound(beyond, true)) << beyond;
  }
}

TEST(DateBoundTest, OnlyYearsThatTheTextShows) {
  EXPECT_EQ("0001-01-01", DateBound(-719162));
  EXPECT_EQ("9999-12-31", DateBound(2932896));
  for (const int64_t beyond : {-719163, 2932897, 12000000, 2147483647, -2147483647}) {
    EXPECT_EQ(std::nullopt, DateBound(beyond)) << beyond;
  }
}

std::string Decimal(const std::string& digits, int32_t scale, bool round_up,
                    int32_t precision = 38) {
  return DecimalBound(arrow::Decimal128(digits), precision, scale, round_up);
}

TEST(DecimalBoundTest, IsPlainWithAllDigitsOfTheScale) {
  EXPECT_EQ("0.000000000", Decimal("0", 9, true));
  EXPECT_EQ("-0.000000001", Decimal("-1", 9, false));
  EXPECT_EQ("12.50", Decimal("1250", 2, true));
  EXPECT_EQ("-1", Decimal("-1", 0, true));
  EXPECT_EQ("0.00000000000000000000000000000000000001", Decimal("1", 38, true));
}

TEST(DecimalBoundTest, SurvivesADouble) {
  EXPECT_EQ("1234567890.12345", Decimal("123456789012345", 5, false));
  EXPECT_EQ("1234567890.123450", Decimal("1234567890123456", 6, false));
  EXPECT_EQ("1234567890.123460", Decimal("1234567890123456", 6, true));
  EXPECT_EQ("-1234567890.123460", Decimal("-1234567890123456", 6, false));
  EXPECT_EQ("-1234567890.123450", Decimal("-1234567890123456", 6, true));
  EXPECT_EQ("1234567890123450", Decimal("1234567890123450", 0, true));
  // Rounded, it would need more digits than the type has.
  EXPECT_EQ("99999999999999999999", Decimal("99999999999999999999", 0, true, 20));
  EXPECT_EQ("100000000000000000000", Decimal("99999999999999999999", 0, true, 21));
  const std::string most(38, '9');
  EXPECT_EQ(most, Decimal(most, 0, true));
  EXPECT_EQ("-" + most, Decimal("-" + most, 0, false));
}

TEST(FloatingBoundTest, HasNamesForWhatJsonHasNoNumbersFor) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ("\"Infinity\"", BoundJson(arrow::DoubleScalar(infinity), true));
  EXPECT_EQ("\"-Infinity\"", BoundJson(arrow::DoubleScalar(-infinity), false));
  EXPECT_EQ("\"-Infinity\"",
            BoundJson(arrow::FloatScalar(-std::numeric_limits<float>::infinity()), true));
  EXPECT_EQ(std::nullopt, BoundJson(arrow::DoubleScalar(std::nan("")), true));
  // Readers that order -0 below 0 find both.
  EXPECT_EQ("-0.0", BoundJson(arrow::DoubleScalar(0.0), false));
  EXPECT_EQ("0.0", BoundJson(arrow::DoubleScalar(-0.0), true));
}

// The bound that a text states, as text; "none".
std::string Stated(const std::string& json, const std::shared_ptr<arrow::DataType>& type,
                   bool is_max) {
  const auto bound = ParseBoundJson(json, type, is_max);
  return bound == nullptr ? "none" : bound->ToString();
}

TEST(ParseBoundTest, ATextMayHaveBeenCut) {
  const std::string long_text(32, 'm');
  EXPECT_EQ("abc", Stated(R"("abc")", arrow::utf8(), true));
  EXPECT_EQ(long_text, Stated('"' + long_text + '"', arrow::utf8(), false));
  // Spark raises a cut maximum by a last character, others not at all.
  for (const std::string end : {"", "\uD7FF", "zzz"}) {
    EXPECT_EQ(long_text + '\xFF', Stated('"' + long_text + end + '"', arrow::utf8(), true)) << end;
  }
  EXPECT_EQ("none", Stated("7", arrow::utf8(), true));
}

// Delta for Spark before 3.3: 32 UTF-16 units and U+FFFD; half a character became a question mark.
TEST(ParseBoundTest, ATextMayHaveBeenCutWithinACharacter) {
  const std::string smile = "\U0001F600";
  std::string smiles, seventeen;
  for (int i = 0; i < 17; ++i) {
    if (i < 16) smiles += smile;
    seventeen += smile;
  }
  const auto bound_of = [](const std::string& maximum) {
    return Stated('"' + maximum + "\uFFFD\"", arrow::utf8(), true);
  };
  EXPECT_GT(bound_of(smiles), seventeen);
  EXPECT_GT(bound_of(std::string(31, 'a') + "?"), std::string(31, 'a') + smile);
  EXPECT_GT(bound_of(std::string(32, 'm')), std::string(40, 'm'));
}

TEST(ParseBoundTest, ATimeMayHaveBeenCut) {
  const auto instant = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  const auto local = arrow::timestamp(arrow::TimeUnit::MICRO);
  for (const std::string text : {"2025-10-24T08:15:30.123Z", "2025-10-24T08:15:30.123000Z",
                                 "2025-10-24T10:15:30.123+02:00", "2025-10-24 08:15:30.123 UTC"}) {
    SCOPED_TRACE(text);
    EXPECT_EQ("2025-10-24 08:15:30.123000Z", Stated('"' + text + '"', instant, false));
    EXPECT_EQ("2025-10-24 08:15:30.123999Z", Stated('"' + text + '"', instant, true));
  }
  EXPECT_EQ("1969-12-31 23:59:59.999000Z",
            Stated(R"("1969-12-31T23:59:59.999999Z")", instant, false));
  EXPECT_EQ("none", Stated(R"("2025-10-24T08:15:30.123")", instant, true));
  EXPECT_EQ("2025-10-24 08:15:30.123999", Stated(R"("2025-10-24T08:15:30.123")", local, true));
  EXPECT_EQ("2025-10-24 08:15:30.123999", Stated(R"("2025-10-24T08:15:30.123Z")", local, true));
  EXPECT_EQ("none", Stated(R"("2025-10-24T08:15:30.123+02:00")", local, true));
  EXPECT_EQ("none", Stated(R"("yesterday")", instant, true));
}

TEST(ParseBoundTest, AWideDecimalMayHaveBeenADouble) {
  EXPECT_EQ("12.50", Stated("12.5", arrow::decimal128(15, 2), true));
  EXPECT_EQ("12.50", Stated("1.25E1", arrow::decimal128(15, 2), false));
  EXPECT_EQ("none", Stated("12.505", arrow::decimal128(15, 2), false));
  EXPECT_EQ("12345678901234580.13", Stated("12345678901234567.78", arrow::decimal128(38, 2), true));
  EXPECT_EQ("12345678901234555.43",
            Stated("12345678901234567.78", arrow::decimal128(38, 2), false));
  EXPECT_EQ("-0.01", Stated("0", arrow::decimal128(38, 2), false));
  // Or a 64-bit integer, which stands for everything beyond its range.
  EXPECT_EQ("none", Stated("9223372036854775807", arrow::decimal128(38, 0), true));
  EXPECT_EQ("none", Stated("-9223372036854775808", arrow::decimal128(38, 0), false));
  EXPECT_EQ("9223372036854766583", Stated("9223372036854775807", arrow::decimal128(38, 0), false));
}

TEST(ParseBoundTest, OtherTypesMeanWhatTheyShow) {
  EXPECT_EQ("9223372036854775807", Stated("9223372036854775807", arrow::int64(), true));
  EXPECT_EQ("none", Stated("9223372036854775808", arrow::int64(), true));
  EXPECT_EQ("none", Stated("1.5", arrow::int64(), true));
  EXPECT_EQ("none", Stated("null", arrow::int64(), true));
  EXPECT_EQ("inf", Stated(R"("Infinity")", arrow::float64(), true));
  EXPECT_EQ("-inf", Stated(R"("-Infinity")", arrow::float64(), false));
  EXPECT_EQ("2025-10-24", Stated(R"("2025-10-24")", arrow::date32(), true));
  EXPECT_EQ("true", Stated("true", arrow::boolean(), true));
  EXPECT_EQ("none", Stated(R"("AA==")", arrow::binary(), true));
}

}  // namespace
}  // namespace shopstream::lake
