// Properties that hold for any schema and any bytes, tried on seeded random ones.
#include <arrow/array/builder_base.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/table_builder.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "avro/decoder.h"
#include "avro/encoder.h"
#include "avro/testing.h"

namespace shopstream::avro {
namespace {

constexpr int kSchemas = 60;

// The types that survive a round trip unchanged.
struct RoundTripType {
  const char* avro;
  std::shared_ptr<arrow::DataType> column;
};

std::vector<RoundTripType> RoundTripTypes() {
  return {{R"("long")", arrow::int64()},
          {R"("double")", arrow::float64()},
          {R"("boolean")", arrow::boolean()},
          {R"("string")", arrow::utf8()},
          {R"("bytes")", arrow::binary()}};
}

// A schema, the rows of a batch and their encoding, all drawn from one seed.
class RandomRows {
 public:
  explicit RandomRows(uint32_t seed) : random_(seed) {
    const auto types = RoundTripTypes();
    const auto fields = Draw(9) + 1;
    std::string avro;
    arrow::FieldVector columns;
    for (uint64_t i = 0; i < fields; ++i) {
      const RoundTripType& type = types[Draw(types.size())];
      const std::string name = "f" + std::to_string(i);
      const bool nullable = Draw(2) == 0;
      const std::string value = type.avro;
      const std::string either =
          Draw(2) == 0 ? "[\"null\", " + value + "]" : "[" + value + ", \"null\"]";
      avro += (i == 0 ? "" : ",") + ("{\"name\": \"" + name + "\", \"type\": ") +
              (nullable ? either : value) + "}";
      columns.push_back(arrow::field(name, type.column, nullable));
    }
    schema = std::make_unique<Schema>(Record(avro));
    rows = MakeRows(arrow::schema(columns));
    const auto encoder = ValueOf(Encoder::Compile(*rows->schema(), *schema));
    EXPECT_TRUE(encoder.Encode(*rows, {}, &encoded).ok());
  }

  uint64_t Draw(uint64_t below) { return random_() % below; }

  std::unique_ptr<Schema> schema;
  std::shared_ptr<arrow::RecordBatch> rows;
  EncodedRows encoded;

 private:
  std::shared_ptr<arrow::RecordBatch> MakeRows(const std::shared_ptr<arrow::Schema>& columns) {
    const auto builder =
        ValueOf(arrow::RecordBatchBuilder::Make(columns, arrow::default_memory_pool()));
    const uint64_t count = Draw(300);
    for (uint64_t row = 0; row < count; ++row) {
      for (int i = 0; i < columns->num_fields(); ++i) {
        const arrow::Field& field = *columns->field(i);
        const bool null = field.nullable() && Draw(4) == 0;
        const Status status =
            null ? builder->GetField(i)->AppendNull() : Append(builder->GetField(i), field);
        EXPECT_TRUE(status.ok());
      }
    }
    return ValueOf(builder->Flush());
  }

  Status Append(arrow::ArrayBuilder* builder, const arrow::Field& field) {
    switch (field.type()->id()) {
      case arrow::Type::INT64:
        // Every length of varint.
        return static_cast<arrow::Int64Builder*>(builder)->Append(static_cast<int64_t>(random_()) >>
                                                                  Draw(64));
      case arrow::Type::DOUBLE:
        return static_cast<arrow::DoubleBuilder*>(builder)->Append(
            std::ldexp(static_cast<double>(Draw(1'000'000)), static_cast<int>(Draw(200)) - 100));
      case arrow::Type::BOOL:
        return static_cast<arrow::BooleanBuilder*>(builder)->Append(Draw(2) == 0);
      case arrow::Type::STRING:
        return static_cast<arrow::StringBuilder*>(builder)->Append(Text());
      default:
        return static_cast<arrow::BinaryBuilder*>(builder)->Append(Noise());
    }
  }

  std::string Text() {
    static const std::vector<std::string> kPieces = {"a", "brioche ", "é", "日本", "🛒", "\t\""};
    std::string text;
    for (uint64_t i = Draw(12); i > 0; --i) text += kPieces[Draw(kPieces.size())];
    return text;
  }

  std::string Noise() {
    std::string noise(Draw(3) == 0 ? Draw(300) : Draw(20), '\0');
    for (char& c : noise) c = static_cast<char>(random_());
    return noise;
  }

  std::mt19937_64 random_;
};

TEST(RoundTripTest, RowsComeBackAsTheyWere) {
  for (uint32_t seed = 0; seed < kSchemas; ++seed) {
    SCOPED_TRACE(seed);
    const RandomRows random(seed);
    const Decoder decoder = ValueOf(Decoder::Compile(*random.schema, *random.schema));
    Columns columns(ValueOf(ToArrowSchema(*random.schema)));
    for (int64_t row = 0; row < random.rows->num_rows(); ++row) {
      ASSERT_EQ(DecodeResult::kRow, decoder.Decode(random.encoded.Row(row), &columns));
    }
    const auto decoded = ValueOf(columns.Finish());
    ASSERT_TRUE(decoded->ValidateFull().ok()) << decoded->ValidateFull();
    EXPECT_TRUE(decoded->Equals(*random.rows)) << random.schema->text();
  }
}

// The rows before and after garbage are what they are without it.
TEST(RoundTripTest, GarbageBetweenRowsLeavesNoTrace) {
  for (uint32_t seed = 0; seed < kSchemas; ++seed) {
    SCOPED_TRACE(seed);
    RandomRows random(seed);
    const Decoder decoder = ValueOf(Decoder::Compile(*random.schema, *random.schema));
    Columns columns(ValueOf(ToArrowSchema(*random.schema)));
    for (int64_t row = 0; row < random.rows->num_rows(); ++row) {
      const auto body = random.encoded.Row(row);
      std::vector<uint8_t> garbage(body.begin(), body.end());
      garbage.resize(random.Draw(garbage.size() + 10));
      for (uint8_t& byte : garbage) {
        if (random.Draw(8) == 0) byte = static_cast<uint8_t>(random.Draw(256));
      }
      const int64_t before = columns.rows();
      if (decoder.Decode(garbage, &columns) == DecodeResult::kRow) columns.Truncate(before);
      ASSERT_EQ(before, columns.rows());
      ASSERT_EQ(DecodeResult::kRow, decoder.Decode(body, &columns));
    }
    const auto decoded = ValueOf(columns.Finish());
    ASSERT_TRUE(decoded->ValidateFull().ok()) << decoded->ValidateFull();
    EXPECT_TRUE(decoded->Equals(*random.rows)) << random.schema->text();
  }
}

TEST(RoundTripTest, EveryPrefixOfARecordIsTruncated) {
  for (uint32_t seed = 0; seed < kSchemas; ++seed) {
    SCOPED_TRACE(seed);
    const RandomRows random(seed);
    if (random.rows->num_rows() == 0) continue;
    const Decoder decoder = ValueOf(Decoder::Compile(*random.schema, *random.schema));
    Columns columns(ValueOf(ToArrowSchema(*random.schema)));
    const auto body = random.encoded.Row(0);
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

}  // namespace
}  // namespace shopstream::avro
