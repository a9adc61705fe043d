#include "avro/decoder.h"

#include <arrow/compare.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "avro/decoder_testing.h"
#include "avro/encoder.h"
#include "avro/testing.h"

namespace shopstream::avro {
namespace {

using testing::HasSubstr;

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
                    // 16777217 is not representable as a float; a float reader gets its neighbour.
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

std::string Logical(const std::string& type, const std::string& logical) {
  return R"({"type": )" + type + R"(, "logicalType": ")" + logical + "\"}";
}

std::string Decimal(int precision, int scale) {
  return R"({"type": "bytes", "logicalType": "decimal", "precision": )" +
         std::to_string(precision) + R"(, "scale": )" + std::to_string(scale) + "}";
}

TEST(DecoderTest, ReadsEveryLogicalType) {
  const auto expect = [](const std::string& type, const char* bytes, const char* value) {
    SCOPED_TRACE(type);
    Pair pair(RecordOf(type));
    ASSERT_EQ(DecodeResult::kRow, pair.Decode(bytes));
    pair.ExpectRows("[{\"f\": " + std::string(value) + "}]");
  };
  expect(Logical(R"("int")", "date"), "01", "-1");
  expect(Logical(R"("int")", "time-millis"), "02", "1");
  expect(Logical(R"("long")", "time-micros"), "02", "1");
  expect(Logical(R"("long")", "timestamp-micros"), "03", "-2");
  expect(Logical(R"("long")", "timestamp-nanos"), "d0 0f", "1");
  expect(Logical(R"("long")", "timestamp-nanos"), "01", "-1");  // Rounded down, before 1970 too.
  expect(Logical(R"("long")", "local-timestamp-nanos"), "01", "-1");
  expect(Decimal(4, 2), "04 fb 1e", R"("-12.50")");
  expect(Decimal(4, 2), "0c 00 00 00 00 04 e2", R"("12.50")");
  expect(Decimal(4, 2), "00", R"("0.00")");
  expect(Decimal(38, 0), "20 4b 3b 4c a8 5a 86 c4 7a 09 8a 22 3f ff ff ff ff",
         R"("99999999999999999999999999999999999999")");
  expect(Decimal(60, 2), "04 fb 1e", R"("-12.50")");
  expect(Decimal(60, 3), "02 ff", R"("-0.001")");
  expect(Decimal(39, 0), "22 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
         R"("340282366920938463463374607431768211456")");
  expect(R"({"type": "fixed", "name": "U", "size": 16, "logicalType": "uuid"})",
         "00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff",
         R"("00112233-4455-6677-8899-aabbccddeeff")");
  expect(R"({"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"})",
         "01 00 00 00 02 00 00 00 bc 0b 00 00", R"("P1M2DT3.004S")");
}

TEST(DecoderTest, ReadsNestedTypes) {
  const Schema schema = Record(R"(
      {"name": "id", "type": "int"},
      {"name": "lines", "type": {"type": "array", "items": {"type": "record", "name": "Line",
       "fields": [{"name": "sku", "type": "string"}, {"name": "price", "type": ["null", "float"]},
                  {"name": "tags", "type": {"type": "array", "items": "string"}}]}}},
      {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["NEW", "PAID"]}},
      {"name": "either", "type": ["null", "string", "int"]},
      {"name": "attributes", "type": {"type": "map", "values": "long"}})");
  Pair pair(schema);
  // Two blocks, the second with its size.
  ASSERT_EQ(DecodeResult::kRow, pair.Decode("02 02 02 61 02 00 00 00 3f 00 01 0c 02 62 00 02 02 78 "
                                            "00 00 02 02 02 7a 02 02 6b 0e 00"));
  ASSERT_EQ(DecodeResult::kRow, pair.Decode("04 00 00 00 00"));
  ASSERT_EQ(DecodeResult::kRow,
            pair.Decode("06 02 02 63 00 00 00 02 04 0a 04 02 6b 00 02 6c 01 00"));
  pair.ExpectRows(R"([
      {"id": 1, "lines": [{"sku": "a", "price": 0.5, "tags": []},
                          {"sku": "b", "price": null, "tags": ["x"]}],
       "state": "PAID", "either": {"string": "z", "long": null}, "attributes": [["k", 7]]},
      {"id": 2, "lines": [], "state": "NEW", "either": null, "attributes": []},
      {"id": 3, "lines": [{"sku": "c", "price": null, "tags": []}], "state": "PAID",
       "either": {"string": null, "long": 5}, "attributes": [["k", 0], ["l", -1]]}])");
}

TEST(DecoderTest, SaysAtWhichValueItFailed) {
  const Schema schema = Record(R"(
      {"name": "lines", "type": {"type": "array", "items": {"type": "record", "name": "Line",
       "fields": [{"name": "sku", "type": "string"}, {"name": "prices",
                  "type": {"type": "map", "values": "boolean"}}]}}},
      {"name": "id", "type": "int"})");
  Pair pair(schema);
  EXPECT_EQ(DecodeResult::kTruncated, pair.Decode("04 02 61 00 06 61"));
  EXPECT_EQ("lines[1].sku", pair.place());
  EXPECT_EQ(DecodeResult::kBadBoolean, pair.Decode("02 02 61 02 02 6b 07 00 00 00"));
  EXPECT_EQ("lines[0].prices[\"k\"]", pair.place());
  EXPECT_EQ(DecodeResult::kTruncated, pair.Decode("02 02 61 02"));
  EXPECT_EQ("lines[0].prices", pair.place());
  EXPECT_EQ(DecodeResult::kDuplicateKey, pair.Decode("02 02 61 04 02 6b 00 02 6b 01 00 00 00"));
  EXPECT_EQ("lines[0].prices", pair.place());
  EXPECT_EQ(DecodeResult::kTruncated, pair.Decode("00"));
  EXPECT_EQ("id", pair.place());
  EXPECT_EQ(DecodeResult::kTrailing, pair.Decode("00 00 00"));
  EXPECT_EQ("", pair.place());
  EXPECT_EQ(0, pair.columns().rows());
}

// A few bytes that claim to be very large.
TEST(DecoderTest, BoundsWhatARecordMayAskFor) {
  const auto decode = [](const std::string& type, const std::string& bytes) {
    Pair pair(RecordOf(R"({"type": "array", "items": )" + type + "}"));
    const DecodeResult result = pair.Decode(bytes);
    EXPECT_LT(pair.columns().bytes(), 1 << 20);
    return result;
  };
  const char* huge = "fe ff ff ff ff ff ff ff ff 01 ";
  EXPECT_EQ(DecodeResult::kTruncated, decode(R"("int")", huge));
  EXPECT_EQ(DecodeResult::kTooManyItems, decode(R"("null")", huge));
  EXPECT_EQ(DecodeResult::kRow, decode(R"("null")", "80 80 08 00"));  // 65536.
  EXPECT_EQ(DecodeResult::kTooManyItems, decode(R"("null")", "80 80 08 02 00"));
  EXPECT_EQ(DecodeResult::kTooManyItems,
            decode(R"({"type": "record", "name": "E", "fields": []})", huge));
  EXPECT_EQ(DecodeResult::kTooManyItems,
            decode(R"({"type": "fixed", "name": "F", "size": 0})", huge));
  EXPECT_EQ(DecodeResult::kTruncated, decode(R"("int")", "01 80 80 08"));  // A size past the end.
  EXPECT_EQ(DecodeResult::kBadLength, decode(R"("int")", "01 01"));
  EXPECT_EQ(DecodeResult::kTruncated, decode(R"("int")", "ff ff ff ff ff ff ff ff ff 01 00"));
}

// One byte of the record expands to a default of a kilobyte.
TEST(DecoderTest, BoundsWhatDefaultsAdd) {
  const std::string items = R"({"name": "f", "type": {"type": "array", "items": {"type": "record",
      "name": "I", "fields": [{"name": "a", "type": "boolean"})";
  const std::string text(1000, 'x');
  const std::string added = R"(, {"name": "b", "type": "string", "default": ")" + text + "\"}";
  const Decoder decoder =
      ValueOf(Decoder::Compile(Record(items + "]}}}"), Record(items + added + "]}}}")));
  Columns columns(ValueOf(ToArrowSchema(Record(items + added + "]}}}"))));
  std::vector<uint8_t> body = Bytes("c0 84 3d");  // 500,000 items.
  body.resize(body.size() + 500'000 + 1);
  EXPECT_EQ(DecodeResult::kTooManyItems, decoder.Decode(body, &columns));
  EXPECT_LT(columns.bytes(), 1 << 20);
  EXPECT_EQ(DecodeResult::kRow, decoder.Decode(Bytes("02 01 00"), &columns));
}

TEST(DecoderTest, ChoosesTheBranchOfAUnionAsAvroJavaDoes) {
  const auto expect = [](const char* writer, const char* bytes, const char* reader,
                         const char* value) {
    SCOPED_TRACE(reader);
    Pair pair(RecordOf(writer), RecordOf(reader));
    ASSERT_EQ(DecodeResult::kRow, pair.Decode(bytes));
    pair.ExpectRows("[{\"f\": " + std::string(value) + "}]");
  };
  expect(R"("int")", "02", R"(["long", "int"])", R"({"long": null, "int": 1})");
  expect(R"("int")", "02", R"(["string", "double"])", R"({"string": null, "double": 1})");
  expect(R"(["int", "string"])", "02 02 61", R"(["null", "string", "long"])",
         R"({"string": "a", "long": null})");
  expect(R"(["int", "long"])", "02 04", R"("double")", "2");
  expect(R"(["int"])", "00 04", R"(["null", "long"])", "2");
  expect(R"("null")", "", R"(["int", "null", "string"])", "null");
  expect(R"({"type": "record", "name": "a.P", "fields": []})", "",
         R"([{"type": "record", "name": "a.Q", "aliases": ["a.P"], "fields": []}, "int"])",
         R"({"Q": {"_empty": null}, "long": null})");
}

TEST(DecoderTest, NamesMembersOfUnionsOnceEach) {
  const auto members = [](const char* type) {
    std::string names;
    const auto columns = ValueOf(ToArrowSchema(RecordOf(type)));
    for (const auto& member : columns->field(0)->type()->fields()) names += member->name() + " ";
    return names;
  };
  EXPECT_EQ("long double string ", members(R"(["int", "float", "string"])"));
  EXPECT_EQ("int long ", members(R"(["int", "null", "long"])"));
  EXPECT_EQ("timestamp_micros bytes ",
            members(R"([{"type": "long", "logicalType": "timestamp-micros"}, "bytes"])"));
  EXPECT_EQ("a_X b_x Y ", members(R"([{"type": "fixed", "name": "a.X", "size": 1},
                                      {"type": "fixed", "name": "b.x", "size": 1},
                                      {"type": "fixed", "name": "b.Y", "size": 1}])"));
  EXPECT_EQ("long Long_2 ", members(R"(["long", {"type": "fixed", "name": "Long", "size": 1}])"));
}

TEST(DecoderTest, RefusesSchemasWithoutEndByPath) {
  const auto error = [](const std::string& fields) {
    const Status status = ToArrowSchema(Record(fields)).status();
    EXPECT_TRUE(status.IsNotImplemented());
    return status.message();
  };
  EXPECT_THAT(error(R"({"name": "a", "type": ["null", "R"]})"),
              HasSubstr("field \"a\": record R contains itself"));
  EXPECT_THAT(error(R"({"name": "a", "type": {"type": "array", "items": {"type": "record",
                       "name": "P", "fields": [{"name": "b", "type": {"type": "map",
                       "values": "P"}}]}}})"),
              HasSubstr("field \"a[].b{}\": record P contains itself"));
  EXPECT_THAT(error(R"({"name": "a", "type": )" + Decimal(1001, 0) + "}"),
              HasSubstr("1001 digits"));
  // Each record contains the previous one twice.
  std::string doubled = R"({"name": "f0", "type": {"type": "record", "name": "R0", "fields": []}})";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "\"R" + std::to_string(i - 1) + "\"";
    doubled += R"(, {"name": "f)" + std::to_string(i) +
               R"(", "type": {"type": "record", "name": "R)" + std::to_string(i) +
               R"(", "fields": [{"name": "a", "type": )" + before + R"(}, {"name": "b", "type": )" +
               before + "}]}}";
  }
  EXPECT_THAT(error(doubled), HasSubstr("more than 16384 columns"));
  EXPECT_THAT(Decoder::Compile(Record(doubled), Record("")).status().message(),
              HasSubstr("unfold to more than"));
  EXPECT_THAT(Decoder::Compile(Record(R"({"name": "a", "type": ["null", "R"]})"), Record(""))
                  .status()
                  .message(),
              HasSubstr("field \"a.a\": record R of the writer contains itself"));
}

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
    // A separate buffer, so that a sanitizer catches a read past the end.
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
