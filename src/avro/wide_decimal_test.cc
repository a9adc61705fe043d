#include "avro/wide_decimal.h"

#include <arrow/array/array_primitive.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "avro/column_types.h"
#include "avro/decoder.h"
#include "avro/logical_text.h"

namespace shopstream::avro {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kOrder[] = R"({"type": "record", "name": "Order", "fields": [
    {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 400, "scale": 2}},
    {"name": "lines", "type": {"type": "array", "items": {"type": "record", "name": "Line", "fields": [
        {"name": "tax", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 64,
                                          "scale": 1}]}]}}},
    {"name": "rates", "type": {"type": "map", "values":
        {"type": "bytes", "logicalType": "decimal", "precision": 50, "scale": 50}}}]})";

class WideDecimalTest : public ::testing::Test {
 protected:
  // Decodes an order with this price, which has at most 63 bytes, one line without tax, and no
  // rate.
  DecodeResult Decode(const std::string& price) {
    columns_.emplace(*ToArrowSchema(schema_, options_));
    const Decoder decoder = *Decoder::Compile(schema_, schema_, options_);
    std::string body(1, static_cast<char>(2 * price.size()));
    body += price + std::string("\x02\x00\x00\x00", 4);
    return decoder.Decode({reinterpret_cast<const uint8_t*>(body.data()), body.size()}, &*columns_);
  }
  std::string Types() {
    const auto columns = ToArrowSchema(schema_, options_);
    return columns.ok() ? (*columns)->ToString() : columns.status().message();
  }

  Schema schema_ = *Schema::Parse(kOrder);
  ColumnOptions options_;
  std::optional<Columns> columns_;
};

TEST_F(WideDecimalTest, PathsHaveNoMarksForItems) {
  EXPECT_THAT(*WideDecimalPaths(schema_), ElementsAre("price", "lines.tax", "rates"));
  EXPECT_THAT(
      *WideDecimalPaths(*Schema::Parse(
          R"({"type": "record", "name": "R", "fields": [{"name": "a", "type": {"type": "bytes",
                      "logicalType": "decimal", "precision": 38, "scale": 2}}]})")),
      ElementsAre());
}

TEST_F(WideDecimalTest, EachPathHasItsColumn) {
  EXPECT_THAT(Types(), HasSubstr("price: string"));
  options_.wide = {{"price", WideDecimal::kDecimal}, {"lines.tax", WideDecimal::kDouble}};
  EXPECT_EQ(
      "price: decimal128(38, 2)\nlines: list<element: struct<tax: double>>\n"
      "rates: map<string, string>",
      Types().substr(0, Types().find(" ('")));
  options_.other = WideDecimal::kDecimal;
  EXPECT_THAT(Types(), HasSubstr("50 digits after the point does not fit decimal(38)"));
}

TEST_F(WideDecimalTest, ADecimalTakes38Digits) {
  options_.wide = {{"price", WideDecimal::kDecimal}};
  ASSERT_EQ(DecodeResult::kRow, Decode("\x04\xd2"));
  EXPECT_EQ(1234, columns_->DecimalAt(0, 0)[0] + 256 * columns_->DecimalAt(0, 0)[1]);
  const std::string largest = *ParseDecimal(std::string(36, '9') + ".99", 38, 2);
  EXPECT_EQ(DecodeResult::kRow, Decode(largest));
  const std::string larger = *ParseDecimal("1" + std::string(36, '0') + ".00", 39, 2);
  EXPECT_EQ(DecodeResult::kDoesNotFit, Decode(larger));
  EXPECT_EQ(DecodeResult::kDoesNotFit, Decode(std::string(60, '\x7f')));
  // More digits than the schema allows are an error of the record, not of the column.
  uint8_t value[16];
  const auto store = [&](int digits) {
    const std::string bytes = *ParseDecimal("1" + std::string(digits - 1, '0'), digits, 0);
    return StoreDecimal({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()},
                        {.precision = 50, .scale = 0}, 0, value);
  };
  EXPECT_EQ(DecodeResult::kDoesNotFit, store(50));
  EXPECT_EQ(DecodeResult::kBadDecimal, store(51));
}

TEST_F(WideDecimalTest, ADoubleIsTheNearest) {
  options_.other = WideDecimal::kDouble;
  EXPECT_THAT(Types(), HasSubstr("price: double"));
  for (const auto& [text, number] : {std::pair("12.34", 12.34),
                                     {"-0.01", -0.01},
                                     {"0.00", 0.0},
                                     {"9007199254740993.00", 9007199254740992.0},
                                     {"9007199254740993.01", 9007199254740994.0}}) {
    ASSERT_EQ(DecodeResult::kRow, Decode(*ParseDecimal(text, 400, 2))) << text;
    const auto rows = *columns_->Finish();
    EXPECT_EQ(number, static_cast<const arrow::DoubleArray&>(*rows->column(0)).Value(0)) << text;
    EXPECT_EQ(number, NearestDouble(text)) << text;
  }
  EXPECT_EQ(0.0, NearestDouble("0." + std::string(400, '0') + "1"));
  EXPECT_EQ(std::nullopt, NearestDouble("-" + std::string(400, '9')));
  EXPECT_EQ(std::numeric_limits<double>::denorm_min(),
            NearestDouble("0." + std::string(323, '0') + "4940656458412465"));
}

}  // namespace
}  // namespace shopstream::avro
