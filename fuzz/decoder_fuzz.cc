// input := pair body: which writer and reader, then one record as it came from Kafka.
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "avro/decoder.h"
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

// kNullable without what no column holds yet.
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

}  // namespace
}  // namespace shopstream::avro

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace shopstream::avro;  // NOLINT: a fuzz target has C linkage.
  if (size == 0) return 0;
  Pair& pair = Choose(bytes[0]);
  // A buffer of its own, so that a read behind its end is seen.
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
