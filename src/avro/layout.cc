#include "avro/layout.h"

#include <arrow/type.h>
#include <arrow/util/bit_util.h>

namespace shopstream::avro {

std::optional<Layout> LayoutOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT64:
    case arrow::Type::TIMESTAMP:
      return Layout::kInt64;
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
      return Layout::kInt32;
    case arrow::Type::DOUBLE:
      return Layout::kDouble;
    case arrow::Type::BOOL:
      return Layout::kBool;
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return Layout::kText;
    default:
      return std::nullopt;
  }
}

uint64_t ShapeOf(const arrow::Schema& schema, int fields) {
  uint64_t shape = 0xcbf29ce484222325;  // FNV-1a.
  for (int i = 0; i < fields; ++i) {
    const auto layout = LayoutOf(*schema.field(i)->type());
    shape ^= layout ? static_cast<uint64_t>(*layout) + 1 : 0;
    shape *= 0x100000001b3;
  }
  return shape;
}

int64_t ValueBytes(Layout layout, int64_t rows) {
  switch (layout) {
    case Layout::kInt64:
    case Layout::kDouble:
      return rows * 8;
    case Layout::kInt32:
      return rows * 4;
    case Layout::kBool:
      return arrow::bit_util::BytesForBits(rows);
    case Layout::kText:
      return 0;
  }
  return 0;
}

}  // namespace shopstream::avro
