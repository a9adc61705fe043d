// Properties that hold for any schema and any bytes, tested with seeded random ones.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "avro/decoder.h"
#include "avro/encoder.h"
#include "avro/random_avro.h"
#include "avro/testing.h"

namespace shopstream::avro {
namespace {

constexpr int kSchemas = 300;

// A random schema and bodies of it, all drawn from one seed.
class RandomBodies {
 public:
  explicit RandomBodies(uint32_t seed) : random_(seed) {
    const auto draw = [this](uint64_t below) { return Draw(below); };
    schema = std::make_unique<Schema>(ParseSchemaText(RandomSchema(draw).Record(/*depth=*/4)));
    for (uint64_t i = Draw(60); i > 0; --i) {
      bodies.push_back(RandomValue(draw).Encode(schema->root()));
    }
  }

  uint64_t Draw(uint64_t below) { return random_() % below; }

  std::unique_ptr<Schema> schema;
  std::vector<std::vector<uint8_t>> bodies;

 private:
  std::mt19937_64 random_;
};

std::shared_ptr<arrow::RecordBatch> Take(Columns* columns) {
  const auto rows = ValueOf(columns->Finish());
  EXPECT_TRUE(rows->ValidateFull().ok()) << rows->ValidateFull();
  return rows;
}

std::shared_ptr<arrow::RecordBatch> DecodeAll(const RandomBodies& random) {
  const Decoder decoder = ValueOf(Decoder::Compile(*random.schema, *random.schema));
  Columns columns(ValueOf(ToArrowSchema(*random.schema)));
  for (const auto& body : random.bodies) {
    std::string place;
    const DecodeResult result = decoder.Decode(body, &columns, &place);
    EXPECT_EQ(DecodeResult::kRow, result) << place << ": " << Describe(result);
  }
  return Take(&columns);
}

TEST(RoundTripTest, RowsComeBackAsTheyWere) {
  for (uint32_t seed = 0; seed < kSchemas; ++seed) {
    RandomBodies random(seed);
    SCOPED_TRACE(std::to_string(seed) + " " + random.schema->text());
    const auto rows = DecodeAll(random);
    ASSERT_EQ(static_cast<int64_t>(random.bodies.size()), rows->num_rows());
    // Also rows in the middle of a batch, whose buffers begin before them.
    const int64_t first = rows->num_rows() / 3;
    const auto part = rows->Slice(first);
    const Encoder encoder = ValueOf(Encoder::Compile(*rows->schema(), *random.schema));
    EncodedRows encoded;
    ASSERT_TRUE(encoder.Encode(*part, {}, &encoded).ok())
        << encoder.Encode(*part, {}, &encoded).ToString();
    random.bodies.clear();
    for (int64_t row = 0; row < part->num_rows(); ++row) {
      random.bodies.emplace_back(encoded.Row(row).begin(), encoded.Row(row).end());
    }
    const auto again = DecodeAll(random);
    ASSERT_TRUE(again->Equals(*part)) << again->ToString() << part->ToString();
  }
}

// Rows before and after garbage are the same as without it.
TEST(RoundTripTest, GarbageBetweenRowsLeavesNoTrace) {
  for (uint32_t seed = 0; seed < kSchemas; ++seed) {
    RandomBodies random(seed);
    SCOPED_TRACE(std::to_string(seed) + " " + random.schema->text());
    const Decoder decoder = ValueOf(Decoder::Compile(*random.schema, *random.schema));
    Columns columns(ValueOf(ToArrowSchema(*random.schema)));
    for (const auto& body : random.bodies) {
      std::vector<uint8_t> garbage = body;
      garbage.resize(random.Draw(garbage.size() + 10));
      for (uint8_t& byte : garbage) {
        if (random.Draw(8) == 0) byte = static_cast<uint8_t>(random.Draw(256));
      }
      const int64_t before = columns.rows();
      if (decoder.Decode(garbage, &columns) == DecodeResult::kRow) columns.Truncate(before);
      ASSERT_EQ(before, columns.rows());
      ASSERT_EQ(DecodeResult::kRow, decoder.Decode(body, &columns));
    }
    ASSERT_TRUE(Take(&columns)->Equals(*DecodeAll(random)));
  }
}

TEST(RoundTripTest, EveryPrefixOfARecordIsTruncated) {
  for (uint32_t seed = 0; seed < kSchemas; ++seed) {
    const RandomBodies random(seed);
    SCOPED_TRACE(std::to_string(seed) + " " + random.schema->text());
    if (random.bodies.empty()) continue;
    const Decoder decoder = ValueOf(Decoder::Compile(*random.schema, *random.schema));
    Columns columns(ValueOf(ToArrowSchema(*random.schema)));
    const auto& body = random.bodies.front();
    for (size_t size = 0; size < body.size(); ++size) {
      const std::vector<uint8_t> cut(body.begin(), body.begin() + static_cast<ptrdiff_t>(size));
      ASSERT_EQ(DecodeResult::kTruncated, decoder.Decode(cut, &columns)) << size;
    }
    std::vector<uint8_t> longer(body.begin(), body.end());
    longer.push_back(0);
    ASSERT_EQ(DecodeResult::kTrailing, decoder.Decode(longer, &columns));
    EXPECT_EQ(0, columns.rows());
  }
}

// Anything that only the writer has is skipped, wherever it occurs.
TEST(RoundTripTest, AReaderWithoutFieldsSkipsAnything) {
  for (uint32_t seed = 0; seed < kSchemas; ++seed) {
    const RandomBodies random(seed);
    SCOPED_TRACE(std::to_string(seed) + " " + random.schema->text());
    const Schema reader = ParseSchemaText(R"({"type": "record", "name": ")" +
                                          random.schema->root().name + R"(", "fields": []})");
    const Decoder decoder = ValueOf(Decoder::Compile(*random.schema, reader));
    Columns columns(ValueOf(ToArrowSchema(reader)));
    for (const auto& body : random.bodies) {
      ASSERT_EQ(DecodeResult::kRow, decoder.Decode(body, &columns));
    }
  }
}

}  // namespace
}  // namespace shopstream::avro
