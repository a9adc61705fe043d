#include "avro/columns.h"

#include <arrow/memory_pool.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "avro/decoder.h"
#include "avro/testing.h"

namespace shopstream::avro {
namespace {

using testing::HasSubstr;

// Records of one string and one nullable int, and columns of the owner's behind them.
class ColumnsTest : public testing::Test {
 protected:
  std::shared_ptr<arrow::Schema> With(const arrow::FieldVector& extra) {
    arrow::FieldVector fields = decoded_->fields();
    fields.insert(fields.end(), extra.begin(), extra.end());
    return arrow::schema(fields);
  }

  // {"text": text, "number": number, or null where it is negative}; both short.
  void Decode(const std::string& text, int number, Columns* columns) {
    std::vector<uint8_t> body = {static_cast<uint8_t>(text.size() * 2)};
    body.insert(body.end(), text.begin(), text.end());
    body.push_back(number < 0 ? 0 : 2);
    if (number >= 0) body.push_back(static_cast<uint8_t>(number * 2));
    ASSERT_EQ(DecodeResult::kRow, decoder_.Decode(body, columns));
  }

  const Schema schema_ =
      Record(R"({"name": "text", "type": "string"}, {"name": "number", "type": ["null", "int"]})");
  const Decoder decoder_ = ValueOf(Decoder::Compile(schema_, schema_));
  const std::shared_ptr<arrow::Schema> decoded_ = ValueOf(ToArrowSchema(schema_));
};

TEST_F(ColumnsTest, GrowsAndReadsBack) {
  Columns columns(decoded_);
  for (int row = 0; row < 5'000; ++row) Decode(std::to_string(row), row % 60, &columns);
  for (int row = 0; row < 5'000; ++row) {
    ASSERT_EQ(std::to_string(row), columns.String(0, row));
    ASSERT_EQ(row % 60, columns.Int64(1, row));
  }
  const auto rows = ValueOf(columns.Finish());
  ASSERT_TRUE(rows->ValidateFull().ok());
  EXPECT_EQ(5'000, rows->num_rows());
}

TEST_F(ColumnsTest, HandsOverItsMemory) {
  const int64_t before = arrow::default_memory_pool()->bytes_allocated();
  Columns columns(decoded_);
  EXPECT_EQ(0, columns.bytes());
  for (int row = 0; row < 1'000; ++row) Decode("some text", 1, &columns);
  EXPECT_EQ(columns.bytes(), arrow::default_memory_pool()->bytes_allocated() - before);
  EXPECT_EQ(1'000 * (9 + 4 + 8) + 4, columns.used_bytes());
  EXPECT_LE(columns.used_bytes(), columns.bytes());

  const char* text = columns.String(0, 0).data();
  auto rows = ValueOf(columns.Finish());
  EXPECT_EQ(text, reinterpret_cast<const char*>(rows->column_data(0)->buffers[2]->data()));
  EXPECT_EQ(0, columns.bytes());
  EXPECT_EQ(0, columns.rows());
  rows.reset();
  EXPECT_EQ(before, arrow::default_memory_pool()->bytes_allocated());

  Decode("again", 1, &columns);
  EXPECT_EQ("again", columns.String(0, 0));
}

TEST_F(ColumnsTest, LittleOfALargeBufferLiesIdle) {
  Columns columns(decoded_);
  const std::string text(60, 'x');
  for (int row = 0; row < 300'000; ++row) Decode(text, 1, &columns);
  EXPECT_LT(columns.bytes(), columns.used_bytes() * 8 / 5);
}

TEST_F(ColumnsTest, HasABitmapOnlyWhereANullRemains) {
  Columns columns(decoded_);
  Decode("a", 1, &columns);
  Decode("b", -1, &columns);
  columns.Truncate(1);
  Decode("c", 3, &columns);
  const auto rows = ValueOf(columns.Finish());
  EXPECT_EQ(nullptr, rows->column_data(1)->buffers[0]);
  EXPECT_TRUE(rows->Equals(*Rows(decoded_, R"([["a", 1], ["c", 3]])")));
}

TEST_F(ColumnsTest, TakesBackRows) {
  Columns columns(With({arrow::field("place", arrow::int64())}), 2);
  Decode("keep", 1, &columns);
  ASSERT_TRUE(columns.AppendInt64(2, 10).ok());
  Decode("drop", -1, &columns);
  ASSERT_TRUE(columns.AppendInt64(2, 11).ok());
  columns.Truncate(1);
  Decode("next", 2, &columns);
  ASSERT_TRUE(columns.AppendInt64(2, 12).ok());
  const auto rows = ValueOf(columns.Finish());
  EXPECT_TRUE(rows->Equals(*Rows(rows->schema(), R"([["keep", 1, 10], ["next", 2, 12]])")))
      << rows->ToString();
}

TEST_F(ColumnsTest, OwnersColumnsOfEveryType) {
  Columns columns(
      With({arrow::field("i64", arrow::int64()), arrow::field("i32", arrow::int32()),
            arrow::field("day", arrow::date32()),
            arrow::field("at", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
            arrow::field("real", arrow::float64()), arrow::field("flag", arrow::boolean()),
            arrow::field("text", arrow::utf8()), arrow::field("raw", arrow::binary())}),
      2);
  for (int row = 0; row < 100; ++row) {
    Decode("x", 1, &columns);
    const bool null = row % 2 == 1;
    for (int column = 2; null && column < 10; ++column) {
      ASSERT_TRUE(columns.AppendNull(column).ok());
    }
    if (null) continue;
    for (int column = 2; column < 6; ++column) ASSERT_TRUE(columns.AppendInt64(column, 7).ok());
    ASSERT_TRUE(columns.AppendDouble(6, 0.5).ok());
    ASSERT_TRUE(columns.AppendBool(7, true).ok());
    ASSERT_TRUE(columns.AppendString(8, "a text of more than a few bytes").ok());
    ASSERT_TRUE(columns.AppendString(9, "").ok());
  }
  EXPECT_EQ(7, columns.Int64(3, 0));
  EXPECT_TRUE(columns.IsNull(3, 1));
  const auto rows = ValueOf(columns.Finish());
  ASSERT_TRUE(rows->ValidateFull().ok()) << rows->ValidateFull();
  EXPECT_TRUE(rows->Slice(98)->Equals(*Rows(
      rows->schema(), R"([["x", 1, 7, 7, 7, 7, 0.5, true, "a text of more than a few bytes", ""],
                          ["x", 1, null, null, null, null, null, null, null, null]])")))
      << rows->ToString();
}

TEST_F(ColumnsTest, OwnersColumnOfNullsAlone) {
  Columns columns(With({arrow::field("headers", arrow::utf8())}), 2);
  Decode("x", 1, &columns);
  ASSERT_TRUE(columns.AppendNull(2).ok());
  const auto rows = ValueOf(columns.Finish());
  EXPECT_TRUE(rows->ValidateFull().ok());
  EXPECT_TRUE(rows->Equals(*Rows(rows->schema(), R"([["x", 1, null]])")));
}

TEST_F(ColumnsTest, RefusesAppendsThatDoNotFit) {
  Columns columns(With({arrow::field("place", arrow::int32(), false)}), 2);
  EXPECT_THAT(columns.AppendInt64(2, 1).message(), HasSubstr("each of the 0 rows"));
  Decode("x", 1, &columns);
  EXPECT_THAT(columns.AppendString(0, "y").message(), HasSubstr("filled by the decoder"));
  EXPECT_THAT(columns.AppendDouble(2, 1).message(), HasSubstr("no value of this type"));
  EXPECT_THAT(columns.AppendInt64(2, int64_t{1} << 31).message(), HasSubstr("no value of this"));
  EXPECT_THAT(columns.AppendNull(2).message(), HasSubstr("place"));
  EXPECT_THAT(columns.Finish().status().message(), HasSubstr("place has 0 values for 1 rows"));
  ASSERT_TRUE(columns.AppendInt64(2, 1).ok());
  EXPECT_TRUE(columns.Finish().ok());
}

TEST_F(ColumnsTest, SaysFullBeforeItsBoundOnText) {
  Columns columns(With({arrow::field("extra", arrow::utf8())}), 2, /*max_text=*/1'000);
  const std::string text(60, 'x');
  const std::vector<uint8_t> body = [&] {
    std::vector<uint8_t> bytes = {120};
    bytes.insert(bytes.end(), text.begin(), text.end());
    bytes.push_back(0);
    return bytes;
  }();
  while (decoder_.Decode(body, &columns) == DecodeResult::kRow) {
    ASSERT_LE(columns.rows() * 60, 1'000);
    ASSERT_TRUE(columns.AppendString(2, text).ok());
  }
  EXPECT_EQ(DecodeResult::kColumnsFull, decoder_.Decode(body, &columns));
  EXPECT_EQ(16, columns.rows());  // A body counts whole, since all of it may be text.
  EXPECT_EQ(16, ValueOf(columns.Finish())->num_rows());
  EXPECT_EQ(DecodeResult::kRow, decoder_.Decode(body, &columns));
  EXPECT_THAT(columns.AppendString(2, std::string(1'001, 'x')).message(), HasSubstr("1000 bytes"));
}

TEST_F(ColumnsTest, ABodyBeyondTheBoundIsNeverFull) {
  Columns columns(decoded_, -1, /*max_text=*/1'000);
  EXPECT_EQ(DecodeResult::kBadLength, decoder_.Decode(std::vector<uint8_t>(1'001), &columns));
}

}  // namespace
}  // namespace shopstream::avro
