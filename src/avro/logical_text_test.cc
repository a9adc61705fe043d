#include "avro/logical_text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "avro/testing.h"

namespace shopstream::avro {
namespace {

std::vector<uint8_t> BytesOf(const std::string& text) { return {text.begin(), text.end()}; }

std::string Formatted(const std::string& hex, int precision, int scale) {
  return FormatDecimal(Bytes(hex), precision, scale).value_or("nothing");
}

TEST(LogicalTextTest, DecimalsAreWrittenWithEveryDigitOfTheirScale) {
  EXPECT_EQ("-12.50", Formatted("fb 1e", 4, 2));
  EXPECT_EQ("12.50", Formatted("00 00 04 e2", 4, 2));
  EXPECT_EQ("0.00", Formatted("", 4, 2));
  EXPECT_EQ("-0.001", Formatted("ff", 3, 3));
  EXPECT_EQ("18446744073709551616", Formatted("01 00 00 00 00 00 00 00 00", 20, 0));
  EXPECT_EQ("-9000000000", Formatted("fd e7 8e e6 00", 10, 0));
  EXPECT_EQ("nothing", Formatted("64", 2, 0));
}

TEST(LogicalTextTest, DecimalsAreReadInThatFormAlone) {
  for (const char* text : {"-12.50", "0.00", "99.99", "-0.01"}) {
    const auto bytes = ParseDecimal(text, 4, 2);
    ASSERT_TRUE(bytes) << text;
    EXPECT_EQ(text, FormatDecimal(BytesOf(*bytes), 4, 2));
  }
  for (const char* text : {"", "-", "12", "12.5", "12.500", "1x.50", "100.00", ".50", "--1.00"}) {
    EXPECT_FALSE(ParseDecimal(text, 4, 2)) << text;
  }
}

TEST(LogicalTextTest, DecimalsOfSixteenBytesAreNumbers) {
  const auto number = ReadDecimal(Bytes("fb 1e"), 4);
  ASSERT_TRUE(number);
  EXPECT_EQ(static_cast<uint64_t>(-1250), (*number)[0]);
  EXPECT_EQ(~uint64_t{0}, (*number)[1]);
  EXPECT_EQ(std::string("\xfb\x1e"), DecimalBytes(*number));
  EXPECT_FALSE(ReadDecimal(Bytes("27 10"), 4));  // 10000.
  EXPECT_TRUE(ReadDecimal(Bytes("00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01"), 1));
  EXPECT_FALSE(ReadDecimal(Bytes("01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"), 38));
}

TEST(LogicalTextTest, UuidsAndDurationsComeBack) {
  const auto uuid = Bytes("00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff");
  const std::string text = FormatUuid(uuid);
  EXPECT_EQ("00112233-4455-6677-8899-aabbccddeeff", text);
  EXPECT_EQ(uuid, BytesOf(ParseUuid(text).value()));
  for (const char* broken : {"", "00112233", "00112233445566778899aabbccddeeff",
                             "00112233-4455-6677-8899-aabbccddeefg"}) {
    EXPECT_FALSE(ParseUuid(broken)) << broken;
  }
  const auto duration = Bytes("01 00 00 00 02 00 00 00 bc 0b 00 00");
  EXPECT_EQ("P1M2DT3.004S", FormatDuration(duration));
  EXPECT_EQ(duration, BytesOf(ParseDuration("P1M2DT3.004S").value()));
  for (const char* broken : {"", "P1M", "P1M2DT3S", "P1M2DT3.004", "P1M2DT3.4S"}) {
    EXPECT_FALSE(ParseDuration(broken)) << broken;
  }
}

}  // namespace
}  // namespace shopstream::avro
