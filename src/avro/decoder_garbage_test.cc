// Bytes that are not a record of their schema.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "avro/decoder.h"
#include "avro/decoder_testing.h"

namespace shopstream::avro {
namespace {

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
  EXPECT_TRUE(pair.place().empty() || pair.place().front() == 'f') << pair.place();
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
        Garbage{R"({"type": "enum", "name": "E", "symbols": ["A"]})", "02",
                DecodeResult::kBadSymbol},
        Garbage{R"({"type": "bytes", "logicalType": "decimal", "precision": 2})", "02 64",
                DecodeResult::kBadDecimal},
        Garbage{R"({"type": "bytes", "logicalType": "decimal", "precision": 39})",
                "24 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
                DecodeResult::kBadDecimal},
        Garbage{R"({"type": "array", "items": "string"})", "02 02 ff 00",
                DecodeResult::kInvalidUtf8},
        Garbage{R"({"type": "map", "values": "int"})", "02 02 ff 02 00",
                DecodeResult::kInvalidUtf8},
        Garbage{R"(["int", "string", "long"])", "06", DecodeResult::kBadLength},
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

// The position in the text and the distance to the body's end select the copying and checking code.
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

}  // namespace
}  // namespace shopstream::avro
