#include "console/record_answer.h"

#include <arrow/type.h>
#include <gtest/gtest.h>

#include "base/json.h"

namespace shopstream::console {
namespace {

kafka::Bytes BytesOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

nlohmann::ordered_json Answer(const std::string& key, const std::string& value, RecordDetail detail,
                              const std::vector<std::string>& mask = {}) {
  kafka::RecordView record;
  record.partition = 1;
  record.offset = 7;
  record.timestamp_ms = 1000;
  record.key = BytesOf(key);
  record.value = BytesOf(value);
  records::RecordDecoder decoder(nullptr);
  return ToAnswer(record, detail, Masking(mask), &decoder);
}

TEST(RecordAnswerTest, AKeyIsTextOrHexadecimal) {
  EXPECT_EQ(Answer("42", "x", RecordDetail::kRow)["key"], "42");
  EXPECT_EQ(Answer(std::string("\0\xff", 2), "x", RecordDetail::kRow)["key_hex"], "00ff");
}

TEST(RecordAnswerTest, AnUndecodableValueHasItsReasonAndBytes) {
  const auto answer = Answer("42", "xyz", RecordDetail::kRow);
  EXPECT_TRUE(answer.contains("error"));
  EXPECT_EQ(answer["value_hex"], "78797a");
  EXPECT_EQ(answer["value_bytes"], 3);
  EXPECT_FALSE(answer.contains("value"));
}

TEST(RecordAnswerTest, LongBytesAreCutInAListOnly) {
  const std::string value(1000, 'x');
  EXPECT_TRUE(Answer("42", value, RecordDetail::kRow)["cut"]);
  EXPECT_EQ(Answer("42", value, RecordDetail::kWhole)["value_hex"].get<std::string>().size(), 2000);
}

TEST(RecordAnswerTest, WithAMaskNoBytesAreShown) {
  for (const RecordDetail detail : {RecordDetail::kRow, RecordDetail::kWhole}) {
    const auto answer = Answer("user-42", "xyz", detail, {"user_id"});
    EXPECT_EQ(DumpJson(answer).find("42"), std::string::npos);
    EXPECT_FALSE(answer.contains("value_hex"));
    EXPECT_TRUE(answer["hidden"]);
  }
}

TEST(RecordAnswerTest, AColumnWithAMaskedPartIsNotSearched) {
  const Masking masking({"user_id", "shopper.name"});
  const auto name = arrow::struct_({arrow::field("name", arrow::utf8())});
  EXPECT_TRUE(HidesAny(masking, *arrow::field("User_Id", arrow::int64())));
  EXPECT_TRUE(HidesAny(
      masking,
      *arrow::field("a", arrow::list(arrow::struct_({arrow::field("user_id", arrow::int64())})))));
  EXPECT_TRUE(HidesAny(masking, *arrow::field("shopper", name)));
  EXPECT_TRUE(HidesAny(masking, *arrow::field("shopper", arrow::list(name))));
  EXPECT_FALSE(HidesAny(masking, *arrow::field("product", name)));
  EXPECT_TRUE(HidesAny(masking, *arrow::field("a", arrow::map(arrow::utf8(), arrow::int64()))));
  EXPECT_FALSE(HidesAny(masking, *arrow::field("a", arrow::int64())));
}

}  // namespace
}  // namespace shopstream::console
