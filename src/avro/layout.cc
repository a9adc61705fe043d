#include "avro/layout.h"

#include <arrow/type.h>
#include <arrow/util/bit_util.h>

namespace shopstream::avro {
namespace {

void AddShape(const arrow::DataType& type, uint64_t* shape) {
  const auto add = [&](uint64_t number) {
    *shape ^= number;
    *shape *= 0x100000001b3;  // FNV-1a.
  };
  const auto layout = LayoutOf(type);
  add(layout ? static_cast<uint64_t>(*layout) + 1 : 0);
  if (type.num_fields() == 0) return;
  add(static_cast<uint64_t>(type.num_fields()));
  for (const auto& child : type.fields()) AddShape(*child->type(), shape);
}

}  // namespace

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
    case arrow::Type::DECIMAL128:
      return Layout::kDecimal;
    case arrow::Type::STRUCT:
      return Layout::kStruct;
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      return Layout::kList;
    default:
      return std::nullopt;
  }
}

int32_t ColumnCount(const arrow::DataType& type) {
  int32_t count = 1;
  for (const auto& child : type.fields()) count += ColumnCount(*child->type());
  return count;
}

uint64_t ShapeOf(const arrow::Schema& schema, int fields) {
  uint64_t shape = 0xcbf29ce484222325;
  for (int i = 0; i < fields; ++i) AddShape(*schema.field(i)->type(), &shape);
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
    case Layout::kDecimal:
      return rows * 16;
    case Layout::kText:
    case Layout::kStruct:
    case Layout::kList:
      return 0;
  }
  return 0;
}

}  // namespace shopstream::avro
