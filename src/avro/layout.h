#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <cstring>
#include <optional>

namespace shopstream::avro {

// The memory layout of a column. Types with the same layout (int64 and timestamp, utf8 and binary,
// list and map) differ only in meaning.
enum class Layout : uint8_t { kInt64, kInt32, kDouble, kBool, kText, kDecimal, kStruct, kList };

// Nothing for a type that Columns cannot hold. Nested types are not examined.
std::optional<Layout> LayoutOf(const arrow::DataType& type);

// Whether a column has offsets, one more than its values.
inline bool HasOffsets(Layout layout) { return layout == Layout::kText || layout == Layout::kList; }

// Number of columns that a type takes, including its own. A column is followed by its contents: a
// struct by its members; a list by its items; a map by its entries, a struct of key and value.
int32_t ColumnCount(const arrow::DataType& type);

// Identifies the layouts of the first `fields` fields including nested ones: a decoder only writes
// into columns of its own shape. Nullability does not matter.
uint64_t ShapeOf(const arrow::Schema& schema, int fields);

// Size of this many values of a fixed width; 0 for others.
int64_t ValueBytes(Layout layout, int64_t rows);

template <typename T>
T LoadAt(const uint8_t* values, int64_t row) {
  T value;
  std::memcpy(&value, values + row * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

template <typename T>
void StoreAt(uint8_t* values, int64_t row, T value) {
  std::memcpy(values + row * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
}

}  // namespace shopstream::avro
