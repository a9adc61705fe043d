#include "avro/decoder.h"

#include <arrow/compare.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "avro/encoder.h"
#include "avro/testing.h"

namespace shopstream::avro {
namespace {

using testing::HasSubstr;

// One writer and one reader; rows are compared as JSON.
class Pair {
 public:
  Pair(const Schema& writer, const Schema& reader)
      : decoder_(ValueOf(Decoder::Compile(writer, reader))),
        arrow_(ValueOf(ToArrowSchema(reader))),
        columns_(arrow_) {}
  explicit Pair(const Schema& schema) : Pair(schema, schema) {}

  DecodeResult Decode(const std::string& hex) { return decoder_.Decode(Bytes(hex), &columns_); }
  Columns& columns() { return columns_; }

  void ExpectRows(std::string_view json) {
    const auto rows = ValueOf(columns_.Finish());
    ASSERT_TRUE(rows->ValidateFull().ok()) << rows->ValidateFull();
    EXPECT_TRUE(rows->Equals(*Rows(arrow_, json))) << rows->ToString();
  }

 private:
  Decoder decoder_;
  std::shared_ptr<arrow::Schema> arrow_;
  Columns columns_;
};

// The writer's type, the bytes of one value, the reader's type, and the value read.
struct Reading {
  const char* writer;
  const char* bytes;
  const char* reader;
  const char* value;
};

class ReadingTest : public testing::TestWithParam<Reading> {};

TEST_P(ReadingTest, GivesTheValue) {
  const Reading& reading = GetParam();
  Pair pair(RecordOf(reading.writer), RecordOf(reading.reader));
  ASSERT_EQ(DecodeResult::kRow, pair.Decode(reading.bytes));
  pair.ExpectRows("[{\"f\": " + std::string(reading.value) + "}]");
}

constexpr const char* kMillis = R"({"type": "long", "logicalType": "timestamp-millis"})";

INSTANTIATE_TEST_SUITE_P(
    Values, ReadingTest,
    testing::Values(
        Reading{R"("int")", "03", R"("int")", "-2"},
        Reading{R"("int")", "ff ff ff ff 0f", R"("int")", "-2147483648"},
        Reading{R"("int")", "80 80 80 80 00", R"("int")", "0"},
        Reading{R"("long")", "80 01", R"("long")", "64"},
        Reading{R"("long")", "fe ff ff ff ff ff ff ff ff 01", R"("long")", "9223372036854775807"},
        Reading{R"("long")", "ff ff ff ff ff ff ff ff ff 01", R"("long")", "-9223372036854775808"},
        Reading{R"("long")", "80 80 80 80 80 80 80 80 01", R"("long")", "36028797018963968"},
        Reading{R"("float")", "00 00 c0 3f", R"("float")", "1.5"},
        Reading{R"("double")", "00 00 00 00 00 00 f8 3f", R"("double")", "1.5"},
        Reading{R"("boolean")", "01", R"("boolean")", "true"},
        Reading{R"("string")", "08 f0 9f 9b 92", R"("string")", R"("🛒")"},
        Reading{R"("bytes")", "00", R"("bytes")", R"("")"}, Reading{kMillis, "02", kMillis, "1000"},
        Reading{R"({"type": "string", "logicalType": "uuid"})", "02 61", R"("string")", R"("a")"}));

INSTANTIATE_TEST_SUITE_P(
    Promotions, ReadingTest,
    testing::Values(Reading{R"("int")", "03", R"("long")", "-2"},
                    Reading{R"("int")", "03", R"("float")", "-2"},
                    Reading{R"("int")", "03", R"("double")", "-2"},
                    // 16777217 is no float, so a float reader sees its neighbour.
                    Reading{R"("int")", "82 80 80 10", R"("float")", "16777216"},
                    Reading{R"("int")", "82 80 80 10", R"("double")", "16777217"},
                    Reading{R"("long")", "82 80 80 10", R"("float")", "16777216"},
                    Reading{R"("long")", "82 80 80 10", R"("double")", "16777217"},
                    Reading{R"("float")", "00 00 c0 3f", R"("double")", "1.5"},
                    Reading{R"("string")", "02 61", R"("bytes")", R"("a")"},
                    Reading{R"("bytes")", "02 61", R"("string")", R"("a")"},
                    Reading{R"("int")", "02", kMillis, "1000"},
                    Reading{R"("long")", "02", kMillis, "1000"},
                    Reading{kMillis, "02", R"("long")", "1"}));

INSTANTIATE_TEST_SUITE_P(
    Nullable, ReadingTest,
    testing::Values(Reading{R"(["null", "int"])", "00", R"(["null", "int"])", "null"},
                    Reading{R"(["null", "int"])", "02 02", R"(["null", "int"])", "1"},
                    Reading{R"(["int", "null"])", "02", R"(["null", "int"])", "null"},
                    Reading{R"(["int", "null"])", "00 02", R"(["null", "long"])", "1"},
                    Reading{R"(["null", "int"])", "02 02", R"("double")", "1"},
                    Reading{R"("int")", "02", R"(["null", "double"])", "1"},
                    Reading{R"(["null", "string"])", "00", R"(["string", "null"])", "null"},
                    Reading{R"(["null", "boolean"])", "00", R"(["null", "boolean"])", "null"}));

TEST(DecoderTest, MixesNullsAndValues) {
  Pair pair(
      Record(R"({"name": "a", "type": ["null", "int"]}, {"name": "b", "type": ["string", "null"]},
                      {"name": "c", "type": ["null", "boolean"]})"));
  std::string json;
  for (int row = 0; row < 200; ++row) {
    const bool null = row % 3 == 1;
    ASSERT_EQ(DecodeResult::kRow, pair.Decode(null ? "00 02 00" : "02 02 00 02 61 02 01"));
    json += json.empty() ? "[" : ",";
    json += null ? R"({"a": null, "b": null, "c": null})" : R"({"a": 1, "b": "a", "c": true})";
  }
  EXPECT_FALSE(pair.columns().IsNull(0, 0));
  EXPECT_TRUE(pair.columns().IsNull(0, 1));
  pair.ExpectRows(json + "]");
}

TEST(DecoderTest, SkipsWhatOnlyTheWriterHas) {
  Pair pair(Record(R"({"name": "a", "type": "int"}, {"name": "b", "type": "long"},
                      {"name": "c", "type": "string"}, {"name": "d", "type": "boolean"},
                      {"name": "e", "type": "double"}, {"name": "f", "type": ["null", "bytes"]},
                      {"name": "g", "type": {"type": "enum", "name": "E", "symbols": ["A"]}},
                      {"name": "h", "type": {"type": "fixed", "name": "F", "size": 3}},
                      {"name": "i", "type": "null"}, {"name": "j", "type": "float"},
                      {"name": "last", "type": "int"})"),
            Record(R"({"name": "last", "type": "int"})"));
  EXPECT_EQ(DecodeResult::kRow,
            pair.Decode("02 04 04 61 62 01 00 00 00 00 00 00 00 00 02 02 61 00 01 02 03 "
                        "00 00 00 00 0e"));
  EXPECT_EQ(DecodeResult::kRow,
            pair.Decode("02 04 00 01 00 00 00 00 00 00 00 00 00 00 01 02 03 00 00 00 00 10"));
  EXPECT_EQ(DecodeResult::kTruncated, pair.Decode("02 04 06 61 62"));
  EXPECT_EQ(DecodeResult::kBadLength, pair.Decode("02 04 00 01 00 00 00 00 00 00 00 00 04"));
  pair.ExpectRows(R"([{"last": 7}, {"last": 8}])");
}

TEST(DecoderTest, FillsWhatOnlyTheReaderHas) {
  Pair pair(Record(R"({"name": "old", "type": "int"})"),
            Record(R"({"name": "a", "type": "int", "default": 7},
                {"name": "b", "type": "double", "default": 1},
                {"name": "c", "type": "string", "default": "a text longer than the record's bytes"},
                {"name": "d", "type": "bytes", "default": "\u00ff"},
                {"name": "e", "type": ["null", "long"], "default": null},
                {"name": "f", "type": ["null", "long"], "default": 8},
                {"name": "g", "type": {"type": "long", "logicalType": "timestamp-millis"},
                 "default": 1000},
                {"name": "h", "type": "boolean", "default": true},
                {"name": "i", "type": "float", "default": 0.1},
                {"name": "renamed", "aliases": ["old"], "type": "long"})"));
  for (int row = 0; row < 100; ++row) ASSERT_EQ(DecodeResult::kRow, pair.Decode("02"));
  const auto rows = ValueOf(pair.columns().Finish());
  ASSERT_TRUE(rows->ValidateFull().ok());
  EXPECT_EQ(100, rows->num_rows());
  const auto expected = Rows(rows->schema()->RemoveField(3).ValueOrDie(), R"([{
      "a": 7, "b": 1, "c": "a text longer than the record's bytes", "e": null, "f": 8,
      "g": 1000000, "h": true, "i": 0.10000000149011612, "renamed": 1}])");
  EXPECT_TRUE(rows->RemoveColumn(3).ValueOrDie()->Slice(99)->Equals(*expected)) << rows->ToString();
}

TEST(DecoderTest, ANullForAReaderWithoutIsRefusedByRecord) {
  Pair pair(RecordOf(R"(["null", "int"])"), RecordOf(R"("int")"));
  EXPECT_EQ(DecodeResult::kUnexpectedNull, pair.Decode("00"));
  EXPECT_EQ(DecodeResult::kRow, pair.Decode("02 02"));
  pair.ExpectRows(R"([{"f": 1}])");
}

TEST(DecoderTest, RefusesWhatItCannotReadByName) {
  const auto error = [](const char* writer, const char* reader) {
    const auto decoder = Decoder::Compile(RecordOf(writer), RecordOf(reader));
    return decoder.ok() ? "no error" : decoder.status().ToString();
  };
  EXPECT_THAT(error(R"("string")", R"("int")"), HasSubstr("TYPE_MISMATCH at /fields/0/type"));
  EXPECT_THAT(error(R"({"type": "long", "logicalType": "timestamp-micros"})", kMillis),
              HasSubstr("another value"));
  EXPECT_THAT(ToArrowSchema(ParseSchemaText(R"("string")")).status().message(),
              HasSubstr("wrap it in a record"));
}

// A writer's type, bytes that are not a record of it, and why.
struct Garbage {
  const char* type;
  const char* bytes;
  DecodeResult result;
};

class GarbageTest : public testing::TestWithParam<Garbage> {};

TEST_P(GarbageTest, IsRefusedAndLeavesNoTrace) {
  const Garbage& garbage = GetParam();
  Pair pair(Record(R"({"name": "text", "type": "string"},
                      {"name": "maybe", "type": ["null", "int"]}, {"name": "f", "type": )" +
                   std::string(garbage.type) + "}"));
  EXPECT_EQ(garbage.result, pair.Decode("02 61 00 " + std::string(garbage.bytes)));
  EXPECT_EQ(0, pair.columns().rows());
  EXPECT_EQ(0, pair.columns().used_bytes());
  EXPECT_EQ(0, ValueOf(pair.columns().Finish())->num_rows());
}

INSTANTIATE_TEST_SUITE_P(
    Bytes, GarbageTest,
    testing::Values(
        Garbage{R"("int")", "", DecodeResult::kTruncated},
        Garbage{R"("int")", "80", DecodeResult::kTruncated},
        Garbage{R"("int")", "80 80 80 80", DecodeResult::kTruncated},
        Garbage{R"("int")", "02 02", DecodeResult::kTrailing},
        Garbage{R"("int")", "80 80 80 80 10", DecodeResult::kBadVarint},
        Garbage{R"("int")", "80 80 80 80 80 00", DecodeResult::kBadVarint},
        Garbage{R"("int")", "80 80 80 80 80 80 80 80 80 80 80", DecodeResult::kBadVarint},
        Garbage{R"("long")", "80 80 80 80 80 80 80 80 80 02", DecodeResult::kBadVarint},
        Garbage{R"("long")", "80 80 80 80 80 80 80 80 80 80 00", DecodeResult::kBadVarint},
        Garbage{R"("long")", "80 80 80 80 80 80 80 80 80", DecodeResult::kTruncated},
        Garbage{R"("string")", "04 61", DecodeResult::kTruncated},
        Garbage{R"("string")", "01", DecodeResult::kBadLength},
        Garbage{R"("string")", "fe ff ff ff ff ff ff ff ff 01", DecodeResult::kBadLength},
        Garbage{R"("string")", "80 80 80 80 10", DecodeResult::kBadLength},
        Garbage{R"("string")", "fe ff ff ff 0f", DecodeResult::kTruncated},
        Garbage{R"("bytes")", "03", DecodeResult::kBadLength},
        Garbage{R"("boolean")", "02", DecodeResult::kBadBoolean},
        Garbage{R"("double")", "00 00 00 00", DecodeResult::kTruncated},
        Garbage{R"(["null", "int"])", "04 02", DecodeResult::kBadLength},
        Garbage{R"(["null", "int"])", "01", DecodeResult::kBadLength},
        Garbage{kMillis, "fe ff ff ff ff ff ff ff ff 01", DecodeResult::kOutOfRange}));

INSTANTIATE_TEST_SUITE_P(
    Utf8, GarbageTest,
    testing::Values(Garbage{R"("string")", "02 ff", DecodeResult::kInvalidUtf8},
                    Garbage{R"("string")", "02 c3", DecodeResult::kInvalidUtf8},
                    Garbage{R"("string")", "04 c0 80", DecodeResult::kInvalidUtf8},  // Overlong.
                    Garbage{R"("string")", "06 ed a0 80",
                            DecodeResult::kInvalidUtf8},  // Surrogate.
                    Garbage{R"("string")", "08 f4 90 80 80", DecodeResult::kInvalidUtf8},
                    Garbage{R"("string")", "08 f0 80 80 80", DecodeResult::kInvalidUtf8}));

// Where in the text, and how far from the body's end, decides how it is copied and checked.
TEST(DecoderTest, FindsInvalidUtf8Anywhere) {
  Pair pair(Record(R"({"name": "f", "type": "string"}, {"name": "g", "type": "bytes"})"));
  for (int size = 1; size <= 50; ++size) {
    for (int behind = 0; behind <= 20; ++behind) {
      std::vector<uint8_t> body = {static_cast<uint8_t>(size * 2)};
      body.insert(body.end(), size, 'a');
      body.push_back(static_cast<uint8_t>(behind * 2));
      body.insert(body.end(), behind, 0xFF);
      const auto decoder = ValueOf(Decoder::Compile(
          Record(R"({"name": "f", "type": "string"}, {"name": "g", "type": "bytes"})"),
          Record(R"({"name": "f", "type": "string"}, {"name": "g", "type": "bytes"})")));
      Columns columns(pair.columns().schema());
      ASSERT_EQ(DecodeResult::kRow, decoder.Decode(body, &columns));
      ASSERT_EQ(std::string(size, 'a'), columns.String(0, 0));
      ASSERT_EQ(std::string(behind, '\xFF'), columns.String(1, 0));
      for (int place = 1; place <= size; ++place) {
        body[place] = 0x80;
        ASSERT_EQ(DecodeResult::kInvalidUtf8, decoder.Decode(body, &columns)) << size << place;
        body[place] = 'a';
      }
    }
  }
}

TEST(DecoderTest, YearsFarAwayDecode) {
  Pair pair(RecordOf(kMillis));
  EXPECT_EQ(DecodeResult::kRow, pair.Decode("fe ef fe a1 fa 9d 73"));
  EXPECT_EQ(DecodeResult::kRow, pair.Decode("01"));
  EXPECT_EQ(253'402'300'799'999'000, pair.columns().Int64(0, 0));  // 9999-12-31T23:59:59.999.
  EXPECT_EQ(-1000, pair.columns().Int64(0, 1));
}

class PurchaseTest : public testing::Test {
 protected:
  std::vector<uint8_t> Encode(std::string_view json) {
    const auto rows = Rows(columns_, "[" + std::string(json) + "]");
    EncodedRows encoded;
    const auto encoder = ValueOf(Encoder::Compile(*columns_, schema_));
    if (!encoder.Encode(*rows, {}, &encoded).ok()) return {};
    return {encoded.Row(0).begin(), encoded.Row(0).end()};
  }

  const Schema schema_ = PurchaseEventAvro();
  const std::shared_ptr<arrow::Schema> columns_ = arrow::schema(
      {arrow::field("event_id", arrow::utf8()), arrow::field("user_id", arrow::int32()),
       arrow::field("region", arrow::utf8()), arrow::field("product_id", arrow::utf8()),
       arrow::field("product_name", arrow::utf8()), arrow::field("quantity", arrow::int32()),
       arrow::field("amount", arrow::float64()), arrow::field("currency", arrow::utf8()),
       arrow::field("timestamp", arrow::timestamp(arrow::TimeUnit::MILLI, "UTC"))});
  const char* const purchase_ = R"({
      "event_id": "6b3ff2a0-8f0b-4cf6-9f0e-0d4f6f1f8a11", "user_id": 4711, "region": "EU",
      "product_id": "P1093", "product_name": "Crème brûlée set", "quantity": 2, "amount": 39.9,
      "currency": "EUR", "timestamp": 1761300000123})";
  const Decoder decoder_ = ValueOf(Decoder::Compile(schema_, schema_));
};

TEST_F(PurchaseTest, RoundTrip) {
  Columns columns(ValueOf(ToArrowSchema(schema_)));
  ASSERT_EQ(DecodeResult::kRow, decoder_.Decode(Encode(purchase_), &columns));
  const auto rows = ValueOf(columns.Finish());
  EXPECT_TRUE(rows->Equals(*Rows(rows->schema(), R"([{
      "event_id": "6b3ff2a0-8f0b-4cf6-9f0e-0d4f6f1f8a11", "user_id": 4711, "region": "EU",
      "product_id": "P1093", "product_name": "Crème brûlée set", "quantity": 2, "amount": 39.9,
      "currency": "EUR", "timestamp": 1761300000123000}])")))
      << rows->ToString();
}

TEST_F(PurchaseTest, EveryPrefixIsTruncatedAndLeavesTheRowsBefore) {
  const std::vector<uint8_t> body = Encode(purchase_);
  Columns columns(ValueOf(ToArrowSchema(schema_)));
  ASSERT_EQ(DecodeResult::kRow, decoder_.Decode(body, &columns));
  const int64_t used = columns.used_bytes();
  for (size_t size = 0; size < body.size(); ++size) {
    // A buffer of its own, so that a sanitizer sees a read behind the end.
    const std::vector<uint8_t> cut(body.begin(), body.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_EQ(DecodeResult::kTruncated, decoder_.Decode(cut, &columns)) << size;
    EXPECT_EQ(1, columns.rows());
    EXPECT_EQ(used, columns.used_bytes());
  }
  ASSERT_EQ(DecodeResult::kRow, decoder_.Decode(body, &columns));
  EXPECT_EQ(columns.String(4, 0), columns.String(4, 1));
  EXPECT_EQ(columns.Int64(8, 0), columns.Int64(8, 1));
}

TEST_F(PurchaseTest, ColumnsOfAnotherShapeAbort) {
  Columns columns(ValueOf(ToArrowSchema(RecordOf(R"("int")"))));
  EXPECT_DEATH(decoder_.Decode({}, &columns), "columns of another schema");
}

}  // namespace
}  // namespace shopstream::avro
