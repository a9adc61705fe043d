#include "base/format.h"

#include <gtest/gtest.h>

#include <limits>

namespace shopstream {
namespace {

TEST(Format, Counts) {
  EXPECT_EQ("0", FormatCount(0));
  EXPECT_EQ("999", FormatCount(999));
  EXPECT_EQ("1,000", FormatCount(1000));
  EXPECT_EQ("1,234,567", FormatCount(1234567));
  EXPECT_EQ("-123", FormatCount(-123));
  EXPECT_EQ("-1,234", FormatCount(-1234));
  EXPECT_EQ("-9,223,372,036,854,775,808", FormatCount(INT64_MIN));
}

TEST(Format, CountsOfThings) {
  EXPECT_EQ("0 files", Counted(0, "file"));
  EXPECT_EQ("1 file", Counted(1, "file"));
  EXPECT_EQ("1,234 files", Counted(1234, "file"));
}

TEST(Format, Bytes) {
  EXPECT_EQ("0 B", FormatBytes(0));
  EXPECT_EQ("1023 B", FormatBytes(1023));
  EXPECT_EQ("1.5 KiB", FormatBytes(1536));
  EXPECT_EQ("1.0 MiB", FormatBytes(1024 * 1024 - 1));
  EXPECT_EQ("8.0 EiB", FormatBytes(INT64_MAX));
}

TEST(Format, Durations) {
  EXPECT_EQ("0 ms", FormatMillis(0));
  EXPECT_EQ("999 ms", FormatMillis(999));
  EXPECT_EQ("1.5 s", FormatMillis(1550));
  EXPECT_EQ("59 s", FormatMillis(59'999));
  EXPECT_EQ("1 min 35 s", FormatMillis(95'000));
  EXPECT_EQ("2 h 5 min", FormatMillis(7'500'000));
  EXPECT_EQ("3 d 1 h", FormatMillis(73LL * 3'600'000));
  EXPECT_EQ("-1.0 s", FormatMillis(-1000));
}

TEST(Format, Timestamps) {
  EXPECT_EQ("1970-01-01T00:00:00.000Z", FormatTimestamp(0));
  EXPECT_EQ("1969-12-31T23:59:59.999Z", FormatTimestamp(-1));
  EXPECT_EQ("2025-10-24T08:15:30.123Z", FormatTimestamp(1761293730123));
  for (const int64_t end :
       {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}) {
    EXPECT_NE("", FormatTimestamp(end)) << "any number may come from outside";
  }
}

TEST(Format, PrintableKeepsTextAndShowsTheRest) {
  EXPECT_EQ("Caf\u00e9 \u20ac5", Printable("Caf\u00e9 \u20ac5"));
  EXPECT_EQ("a\\nb\\tc", Printable("a\nb\tc"));
  EXPECT_EQ("\\x1b[2J", Printable("\x1b[2J"));
  EXPECT_EQ("\\xc2\\x9b2J", Printable("\u009b2J"));
  EXPECT_EQ("\\xff\\xfe", Printable("\xff\xfe"));
  EXPECT_EQ("\\xe2\\x82", Printable("\xe2\x82"));
  EXPECT_EQ("\\xed\\xa0\\x80", Printable("\xed\xa0\x80"));
}

TEST(Format, HexHasTwoDigitsAByte) {
  EXPECT_EQ("000fa0ff", FormatHex(std::string("\0\x0f\xa0\xff", 4)));
  EXPECT_EQ("", FormatHex(""));
}

TEST(Format, HexDigitsOfEitherCaseHaveAValue) {
  EXPECT_EQ(0, HexDigit('0'));
  EXPECT_EQ(9, HexDigit('9'));
  EXPECT_EQ(10, HexDigit('a'));
  EXPECT_EQ(15, HexDigit('F'));
  EXPECT_EQ(-1, HexDigit('g'));
  EXPECT_EQ(-1, HexDigit(' '));
}

}  // namespace
}  // namespace shopstream
