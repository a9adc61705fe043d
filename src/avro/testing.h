#pragma once
// For tests only: schemas, rows and bytes as readable text.

#include <arrow/array/array_nested.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "avro/schema.h"

namespace shopstream::avro {

template <typename T>
T ValueOf(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().ToString());
  return std::move(result).ValueUnsafe();
}

inline Schema ParseSchemaText(std::string_view json) { return ValueOf(Schema::Parse(json)); }

// A record "R" of the fields: Record(R"({"name": "a", "type": "int"})").
inline Schema Record(std::string_view fields) {
  return ParseSchemaText(R"({"type": "record", "name": "R", "fields": [)" + std::string(fields) +
                         "]}");
}

// A record with the one field "f" of that type.
inline Schema RecordOf(std::string_view type) {
  return Record(R"({"name": "f", "type": )" + std::string(type) + "}");
}

inline Schema PurchaseEventAvro() {
  std::ifstream file(SHOPSTREAM_SOURCE_DIR "/schemas/purchase_event.avsc");
  return ParseSchemaText(std::string(std::istreambuf_iterator<char>(file), {}));
}

// Rows(schema, R"([{"id": 1}, {"id": null}])")
inline std::shared_ptr<arrow::RecordBatch> Rows(const std::shared_ptr<arrow::Schema>& schema,
                                                std::string_view json) {
  const auto rows =
      ValueOf(arrow::json::ArrayFromJSONString(arrow::struct_(schema->fields()), json));
  const auto batch = ValueOf(arrow::RecordBatch::FromStructArray(rows));
  return arrow::RecordBatch::Make(schema, batch->num_rows(), batch->columns());
}

// Bytes("02 06 61"), in hexadecimal.
inline std::vector<uint8_t> Bytes(const std::string& hex) {
  std::istringstream words(hex);
  std::vector<uint8_t> bytes;
  for (std::string word; words >> word;) {
    bytes.push_back(static_cast<uint8_t>(std::stoi(word, nullptr, 16)));
  }
  return bytes;
}

}  // namespace shopstream::avro
