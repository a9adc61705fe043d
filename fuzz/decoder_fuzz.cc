// input := pair body                            0 to 127: which writer and reader, then one record
//        | random schema_size schema body       128 to 255: the next bytes choose a schema of any
//                                               type, the rest is a record of it
#include <arrow/compare.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "avro/decoder.h"
#include "avro/encoder.h"
#include "avro/random_avro.h"
#include "fuzz_target.h"

namespace shopstream::avro {
namespace {

constexpr const char* kPurchase = R"({"type": "record", "name": "PurchaseEvent", "fields": [
    {"name": "event_id", "type": "string"}, {"name": "user_id", "type": "int"},
    {"name": "region", "type": "string"}, {"name": "product_id", "type": "string"},
    {"name": "product_name", "type": "string"}, {"name": "quantity", "type": "int"},
    {"name": "amount", "type": "double"}, {"name": "currency", "type": "string"},
    {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}}]})";

// Each field promoted, nullable, renamed, or new.
constexpr const char* kPromoted = R"({"type": "record", "name": "PurchaseEvent", "fields": [
    {"name": "event_id", "type": "bytes"}, {"name": "user_id", "type": ["null", "long"]},
    {"name": "region", "type": ["string", "null"]}, {"name": "coupon", "type": "string",
     "default": "none"}, {"name": "title", "aliases": ["product_name"], "type": "string"},
    {"name": "quantity", "type": "float"}, {"name": "amount", "type": ["null", "double"]},
    {"name": "gift", "type": ["null", "boolean"], "default": null},
    {"name": "timestamp", "type": "long"}]})";

constexpr const char* kNullable = R"({"type": "record", "name": "PurchaseEvent", "fields": [
    {"name": "event_id", "type": ["null", "string"]}, {"name": "user_id", "type": ["int", "null"]},
    {"name": "region", "type": ["null", "bytes"]}, {"name": "product_id", "type": "bytes"},
    {"name": "product_name", "type": ["string", "null"]},
    {"name": "quantity", "type": ["null", "int"]}, {"name": "amount", "type": ["float", "null"]},
    {"name": "currency", "type": "string"}, {"name": "flag", "type": ["null", "boolean"]},
    {"name": "kind", "type": {"type": "enum", "name": "E", "symbols": ["A", "B"]}},
    {"name": "digest", "type": {"type": "fixed", "name": "F", "size": 5}},
    {"name": "timestamp", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}]}]})";

// kNullable without fixed and enum types.
constexpr const char* kOptional = R"({"type": "record", "name": "PurchaseEvent", "fields": [
    {"name": "event_id", "type": ["null", "string"]}, {"name": "user_id", "type": ["null", "long"]},
    {"name": "region", "type": ["string", "null"]}, {"name": "product_id", "type": "string"},
    {"name": "product_name", "type": ["null", "bytes"]},
    {"name": "quantity", "type": ["null", "float"]}, {"name": "amount", "type": ["null", "double"]},
    {"name": "flag", "type": ["boolean", "null"]},
    {"name": "timestamp", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}]}]})";

struct Pair {
  Pair(const char* writer, const char* reader)
      : schema(*Schema::Parse(reader)),
        decoder(*Decoder::Compile(*Schema::Parse(writer), schema)),
        columns(*ToArrowSchema(schema)) {}

  Schema schema;
  Decoder decoder;
  Columns columns;
};

Pair& Choose(uint8_t number) {
  static Pair pairs[] = {{kPurchase, kPurchase}, {kPurchase, kPromoted}, {kNullable, kOptional},
                         {kNullable, kPurchase}, {kNullable, kPromoted}, {kPromoted, kPromoted}};
  return pairs[number % std::size(pairs)];
}

// Numbers from bytes; zeros once the bytes are used up.
class Numbers {
 public:
  explicit Numbers(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  uint64_t operator()(uint64_t below) {
    if (bytes_.empty() || below < 2) return 0;
    const uint64_t number = bytes_[0] % below;
    bytes_ = bytes_.subspan(1);
    return number;
  }

 private:
  std::span<const uint8_t> bytes_;
};

void DecodeByAnySchema(std::span<const uint8_t> input) {
  if (input.empty()) return;
  const size_t schema_size = std::min<size_t>(input[0], input.size() - 1);
  RandomSchema random(Numbers(input.subspan(1, schema_size)));
  const auto schema = Schema::Parse(random.Record(/*depth=*/6));
  FUZZ_CHECK(schema.ok());
  const auto decoder = Decoder::Compile(*schema, *schema);
  FUZZ_CHECK(decoder.ok());
  const auto columns_schema = *ToArrowSchema(*schema);
  Columns columns(columns_schema);
  const auto rest = input.subspan(1 + schema_size);
  const std::vector<uint8_t> body(rest.begin(), rest.end());
  std::string place;
  const DecodeResult result = decoder->Decode(body, &columns, &place);
  FUZZ_CHECK(result != DecodeResult::kColumnsFull);
  FUZZ_CHECK(columns.bytes() < 4 * Decoder::kMaxItemBytes);
  const auto rows = *columns.Finish();
  FUZZ_CHECK(rows->ValidateFull().ok());
  FUZZ_CHECK(rows->num_rows() == (result == DecodeResult::kRow ? 1 : 0));
  if (rows->num_rows() == 0) return;
  // Whatever was read can be written, and then read again.
  const auto encoder = Encoder::Compile(*columns_schema, *schema);
  FUZZ_CHECK(encoder.ok());
  EncodedRows encoded;
  if (!encoder->Encode(*rows, {}, &encoded).ok()) return;  // Nanoseconds rounded out of range.
  FUZZ_CHECK(decoder->Decode(encoded.Row(0), &columns) == DecodeResult::kRow);
  const auto again = *columns.Finish();
  FUZZ_CHECK(again->Equals(*rows, arrow::EqualOptions().nans_equal(true)));
}

}  // namespace
}  // namespace shopstream::avro

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace shopstream::avro;  // NOLINT: a fuzz target has C linkage.
  if (size == 0) return 0;
  if (bytes[0] >= 128) {
    DecodeByAnySchema({bytes + 1, size - 1});
    return 0;
  }
  Pair& pair = Choose(bytes[0]);
  // A separate buffer, so that a read past its end is detected.
  const std::vector<uint8_t> body(bytes + 1, bytes + size);
  Columns& columns = pair.columns;
  const int64_t rows = columns.rows();
  const int64_t used = columns.used_bytes();
  const DecodeResult result = pair.decoder.Decode(body, &columns);
  FUZZ_CHECK(result != DecodeResult::kColumnsFull);
  if (result != DecodeResult::kRow) {
    FUZZ_CHECK(columns.rows() == rows && columns.used_bytes() == used);
    return 0;
  }
  FUZZ_CHECK(columns.rows() == rows + 1);
  if (columns.rows() < 8) return 0;
  const auto batch = columns.Finish();
  FUZZ_CHECK(batch.ok() && (*batch)->ValidateFull().ok());
  return 0;
}
