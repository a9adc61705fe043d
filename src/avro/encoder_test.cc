#include "avro/encoder.h"

#include <arrow/array/array_base.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "avro/testing.h"

namespace shopstream::avro {
namespace {

using testing::ElementsAreArray;
using testing::HasSubstr;

std::shared_ptr<arrow::Schema> Column(const std::shared_ptr<arrow::DataType>& type) {
  return arrow::schema({arrow::field("f", type)});
}

// The single row of column "f", written as the Avro type.
std::vector<uint8_t> Encoded(const std::shared_ptr<arrow::DataType>& column, const char* value,
                             const char* type) {
  const auto schema = Column(column);
  const auto encoder = ValueOf(Encoder::Compile(*schema, RecordOf(type)));
  EncodedRows out;
  const auto rows = Rows(schema, "[{\"f\": " + std::string(value) + "}]");
  if (const Status status = encoder.Encode(*rows, {}, &out); !status.ok()) {
    throw std::runtime_error(status.ToString());
  }
  return {out.Row(0).begin(), out.Row(0).end()};
}

TEST(EncoderTest, WritesEveryType) {
  const auto millis = arrow::timestamp(arrow::TimeUnit::MILLI, "UTC");
  const char* avro_millis = R"({"type": "long", "logicalType": "timestamp-millis"})";
  const auto is = [](const char* hex) { return ElementsAreArray(Bytes(hex)); };
  EXPECT_THAT(Encoded(arrow::int32(), "-2", R"("int")"), is("03"));
  EXPECT_THAT(Encoded(arrow::int32(), "-2147483648", R"("int")"), is("ff ff ff ff 0f"));
  EXPECT_THAT(Encoded(arrow::int32(), "64", R"("long")"), is("80 01"));
  EXPECT_THAT(Encoded(arrow::int32(), "1", R"("double")"), is("00 00 00 00 00 00 f0 3f"));
  EXPECT_THAT(Encoded(arrow::int64(), "-9223372036854775808", R"("long")"),
              is("ff ff ff ff ff ff ff ff ff 01"));
  EXPECT_THAT(Encoded(arrow::int64(), "36028797018963967", R"("long")"),
              is("fe ff ff ff ff ff ff 7f"));
  EXPECT_THAT(Encoded(arrow::int64(), "36028797018963968", R"("long")"),
              is("80 80 80 80 80 80 80 80 01"));
  EXPECT_THAT(Encoded(arrow::int64(), "2147483647", R"("int")"), is("fe ff ff ff 0f"));
  EXPECT_THAT(Encoded(arrow::float64(), "1.5", R"("double")"), is("00 00 00 00 00 00 f8 3f"));
  EXPECT_THAT(Encoded(arrow::utf8(), R"("é")", R"("string")"), is("04 c3 a9"));
  EXPECT_THAT(Encoded(arrow::utf8(), R"("a")", R"("bytes")"), is("02 61"));
  EXPECT_THAT(Encoded(arrow::binary(), R"("")", R"("bytes")"), is("00"));
  EXPECT_THAT(Encoded(arrow::boolean(), "true", R"("boolean")"), is("01"));
  EXPECT_THAT(Encoded(millis, "1761300000123", avro_millis), is("f6 b5 c9 da c2 66"));
  EXPECT_THAT(Encoded(millis, "1", R"("long")"), is("02"));
  EXPECT_THAT(Encoded(arrow::int32(), "1", R"(["null", "int"])"), is("02 02"));
  EXPECT_THAT(Encoded(arrow::int32(), "1", R"(["int", "null"])"), is("00 02"));
  EXPECT_THAT(Encoded(arrow::int32(), "null", R"(["null", "int"])"), is("00"));
  EXPECT_THAT(Encoded(arrow::int32(), "null", R"(["int", "null"])"), is("02"));
}

TEST(EncoderTest, MatchesColumnsByNameAndPrefixesRows) {
  const auto columns =
      arrow::schema({arrow::field("b", arrow::utf8()), arrow::field("a", arrow::int32())});
  const auto encoder = ValueOf(Encoder::Compile(
      *columns, Record(R"({"name": "a", "type": "int"}, {"name": "none", "type": ["null", "int"]},
                          {"name": "b", "type": "string"})")));
  EncodedRows out;
  const auto rows = Rows(columns, R"([["zero", 0], ["x", 1], ["yz", 2]])");
  ASSERT_TRUE(encoder.Encode(*rows->Slice(1), Bytes("00 00 00 00 07"), &out).ok());
  EXPECT_THAT(out.offsets, testing::ElementsAre(0, 9, 19));
  EXPECT_THAT(out.bytes,
              ElementsAreArray(Bytes("00 00 00 00 07 02 00 02 78 00 00 00 00 07 04 00 04 79 7a")));
  EXPECT_THAT(out.Row(1), ElementsAreArray(Bytes("00 00 00 00 07 04 00 04 79 7a")));
  ASSERT_TRUE(encoder.Encode(*rows->Slice(3), {}, &out).ok());
  EXPECT_THAT(out.offsets, testing::ElementsAre(0));
  EXPECT_TRUE(out.bytes.empty());
}

TEST(EncoderTest, RefusesByNameWhatDoesNotFit) {
  const auto error = [](const std::shared_ptr<arrow::DataType>& column, const char* type) {
    return Encoder::Compile(*Column(column), RecordOf(type)).status().message();
  };
  EXPECT_THAT(error(arrow::utf8(), R"("int")"), HasSubstr("column f (string) cannot be written"));
  EXPECT_THAT(error(arrow::date32(), R"("int")"), HasSubstr("cannot be written as int"));
  EXPECT_THAT(error(arrow::binary(), R"("string")"), HasSubstr("cannot be written as string"));
  EXPECT_THAT(error(arrow::int64(), R"({"type": "long", "logicalType": "timestamp-millis"})"),
              HasSubstr("cannot be written as long (timestamp-millis)"));
  EXPECT_THAT(Encoder::Compile(*Column(arrow::int32()), Record("")).status().message(),
              HasSubstr("column f (int32) is not a field of record R"));
  EXPECT_THAT(Encoder::Compile(*arrow::schema({}), RecordOf(R"("int")")).status().message(),
              HasSubstr("field \"f\" (int) has no column"));
}

TEST(EncoderTest, RefusesByRowWhatDoesNotFit) {
  const auto error = [](const std::shared_ptr<arrow::DataType>& column, const char* rows,
                        const char* type) {
    const auto encoder = ValueOf(Encoder::Compile(*Column(column), RecordOf(type)));
    EncodedRows out;
    return encoder.Encode(*Rows(Column(column), rows), {}, &out).message();
  };
  EXPECT_THAT(error(arrow::int32(), "[[1], [null]]", R"("int")"), HasSubstr("null in row 1"));
  EXPECT_THAT(error(arrow::int64(), "[[1], [2147483648]]", R"("int")"),
              HasSubstr("holds 2147483648 in row 1"));
  const auto encoder = ValueOf(Encoder::Compile(*Column(arrow::int32()), RecordOf(R"("int")")));
  EncodedRows out;
  EXPECT_THAT(encoder.Encode(*Rows(Column(arrow::utf8()), "[]"), {}, &out).message(),
              HasSubstr("of another type in these rows"));
}

}  // namespace
}  // namespace shopstream::avro
