#include "records/text_match.h"

#include <arrow/array/concatenate.h>
#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream::records {
namespace {

using testing::Each;
using testing::ElementsAre;

std::shared_ptr<arrow::RecordBatch> Values(const std::shared_ptr<arrow::DataType>& type,
                                           const std::string& json) {
  const auto column = arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("value", type)}), column->length(),
                                  {column});
}

std::vector<bool> Find(const std::string& text, const std::shared_ptr<arrow::DataType>& type,
                       const std::string& json) {
  const auto values = Values(type, json);
  std::vector<bool> rows(static_cast<size_t>(values->num_rows()));
  TextMatch(text).FindIn(*values, &rows);
  return rows;
}

TEST(TextMatchTest, TextsMatchInBothCasesAndNeverAcrossTwoRows) {
  const std::string names = R"(["Blue Lamp", null, "lampshade", "", "a la", "mp"])";
  EXPECT_THAT(Find("lamp", arrow::utf8(), names),
              ElementsAre(true, false, true, false, false, false));
  EXPECT_THAT(Find("E l", arrow::utf8(), names),
              ElementsAre(true, false, false, false, false, false));
  EXPECT_THAT(Find("tent", arrow::utf8(), names), Each(false));
  EXPECT_THAT(Find("", arrow::utf8(), names), Each(true));
}

TEST(TextMatchTest, AfterAHitAcrossTwoRowsTheRealOneIsFound) {
  EXPECT_THAT(Find("aa", arrow::utf8(), R"(["a", "aa", "xa", "a"])"),
              ElementsAre(false, true, false, false));
}

TEST(TextMatchTest, ASlicedColumnHasItsOwnRows) {
  const auto all = Values(arrow::utf8(), R"(["lamp", "tent", "lamp"])")->Slice(1);
  std::vector<bool> rows(2);
  TextMatch("lamp").FindIn(*all, &rows);
  EXPECT_THAT(rows, ElementsAre(false, true));
}

TEST(TextMatchTest, QuotesAreThoseOfTheTextAndNotOfJson) {
  EXPECT_THAT(Find("say \"hi\"", arrow::utf8(), R"(["they say \"hi\" \\", "say hi"])"),
              ElementsAre(true, false));
}

TEST(TextMatchTest, OtherTypesMatchAsTheyArePrinted) {
  EXPECT_THAT(Find("23", arrow::int64(), "[1234, 42, null]"), ElementsAre(true, false, false));
  EXPECT_THAT(Find("2.5", arrow::float64(), "[12.5, 125]"), ElementsAre(true, false));
  EXPECT_THAT(Find("TRU", arrow::boolean(), "[true, false]"), ElementsAre(true, false));
  EXPECT_THAT(Find("9.90", arrow::decimal128(9, 2), R"(["19.90", "1.99"])"),
              ElementsAre(true, false));
  EXPECT_THAT(
      Find("2025-10-24T08", arrow::timestamp(arrow::TimeUnit::MILLI, "UTC"), "[1761293730000, 0]"),
      ElementsAre(true, false));
  EXPECT_THAT(Find("c0Ff", arrow::binary(), R"(["\u0001"])"), ElementsAre(false));
}

TEST(TextMatchTest, NestedValuesMatchAndNamesOfFieldsDoNot) {
  const auto type = arrow::struct_(
      {arrow::field("colour", arrow::utf8()), arrow::field("sizes", arrow::list(arrow::int32()))});
  const std::string json =
      R"([{"colour": "Red", "sizes": [38, 42]}, {"colour": null, "sizes": []}])";
  EXPECT_THAT(Find("red", type, json), ElementsAre(true, false));
  EXPECT_THAT(Find("42", type, json), ElementsAre(true, false));
  EXPECT_THAT(Find("colour", type, json), Each(false));
}

TEST(TextMatchTest, KeysAndUndecodedValuesAreSearchedAsBytes) {
  const std::string key = "User-7", value = "\x01 broken LAMP";
  const auto bytes = [](const std::string& text) {
    return kafka::Bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  };
  kafka::RecordView record;
  record.key = bytes(key);
  record.value = bytes(value);
  EXPECT_TRUE(TextMatch("user-7").IsInBytesOf(record, false));
  EXPECT_FALSE(TextMatch("lamp").IsInBytesOf(record, false));
  EXPECT_TRUE(TextMatch("lamp").IsInBytesOf(record, true));
}

}  // namespace
}  // namespace shopstream::records
