#include "generate/decimal.h"

#include <gtest/gtest.h>

#include <string>

namespace shopstream::generate {
namespace {

Decimal Parsed(const std::string& text, char point = '.') {
  const auto value = ParseDecimal(text, point);
  EXPECT_TRUE(value) << text;
  return value.value_or(Decimal{});
}

TEST(Decimal, ReadsNumbers) {
  EXPECT_EQ(Parsed("12.50"), (Decimal{1250, 2}));
  EXPECT_EQ(Parsed("-0.5"), (Decimal{-5, 1}));
  EXPECT_EQ(Parsed(" +7 "), (Decimal{7, 0}));
  EXPECT_EQ(Parsed("1.5e3"), (Decimal{1500, 0}));
  EXPECT_EQ(Parsed("1e-05"), (Decimal{1, 5}));
  EXPECT_EQ(Parsed("2,5", ','), (Decimal{25, 1}));
  EXPECT_EQ(Parsed(".5"), (Decimal{5, 1}));
  EXPECT_EQ(Parsed("1.6653349999999998e-16").digits, 166533499999999);
  EXPECT_EQ(Parsed("1e-324"), (Decimal{0, 30}));
  EXPECT_EQ(Round(Parsed("0.3333333333333333333333333333333333333"), 2), (Decimal{33, 2}));
}

TEST(Decimal, RefusesTheRest) {
  for (const char* text : {"", "-", ".", "n/a", "1.2.3", "1,5", "0x10", "nan", "inf", "1e", "1e99",
                           "1 000", "1234567890123456789012345678901"}) {
    EXPECT_FALSE(ParseDecimal(text)) << text;
  }
  EXPECT_FALSE(ParseDecimal("1.234,5", ','));
}

TEST(Decimal, MultipliesExactly) {
  EXPECT_EQ(*Multiply(Parsed("2.55"), Parsed("6")), (Decimal{153, 1}));
  EXPECT_EQ(*Multiply(Parsed("-0.1"), Parsed("0.2")), (Decimal{-2, 2}));
  EXPECT_FALSE(Multiply(Parsed("123456789012345678901234567890"), Parsed("1234567890")));
}

TEST(Decimal, RoundsHalvesAwayFromZero) {
  EXPECT_EQ(Round(Parsed("1.005"), 2), (Decimal{101, 2}));
  EXPECT_EQ(Round(Parsed("-1.005"), 2), (Decimal{-101, 2}));
  EXPECT_EQ(Round(Parsed("1.00499"), 2), (Decimal{100, 2}));
  EXPECT_EQ(Round(Parsed("149.5"), 0), (Decimal{150, 0}));
  EXPECT_EQ(Round(Parsed("3"), 2), (Decimal{3, 0}));
}

TEST(Decimal, BecomesTheNearestDouble) {
  for (const char* text : {"0.1", "2.675", "-19.99", "123456789.123456789", "0.00000000000000001",
                           "9007199254740993", "179769313486231570000000000000"}) {
    EXPECT_EQ(ToDouble(Parsed(text)), std::stod(text)) << text;
  }
}

TEST(Decimal, IsAWholeNumberIfItsFractionIsZero) {
  EXPECT_EQ(ToInteger(Parsed("17850.0")), 17850);
  EXPECT_EQ(ToInteger(Parsed("-3")), -3);
  EXPECT_EQ(ToInteger(Parsed("1.5")), std::nullopt);
  EXPECT_EQ(ToInteger(Parsed("9223372036854775808")), std::nullopt);
}

}  // namespace
}  // namespace shopstream::generate
