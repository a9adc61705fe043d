#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <cstring>
#include <optional>

namespace shopstream::avro {

// How a column lies in memory. Types of one layout (int64 and timestamp, utf8 and binary, list and
// map) differ in meaning only.
enum class Layout : uint8_t { kInt64, kInt32, kDouble, kBool, kText, kDecimal, kStruct, kList };

// None for a type that Columns do not hold. What a struct, list or map holds is not looked at.
std::optional<Layout> LayoutOf(const arrow::DataType& type);

// Whether a column has offsets, one more than it has values.
inline bool HasOffsets(Layout layout) { return layout == Layout::kText || layout == Layout::kList; }

// Columns lie in one row, each before what it holds: a struct, its members; a list, its items; a
// map, its entries, which are a struct of key and value. How many that are, with itself.
int32_t ColumnCount(const arrow::DataType& type);

// A number for the layouts of the first `fields` fields, with all they hold: a decoder writes only
// into columns of its own shape. Nullability does not count.
uint64_t ShapeOf(const arrow::Schema& schema, int fields);

// Bytes of that many values of a fixed width; others have none.
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
