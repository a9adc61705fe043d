#include "sql/arrow_values.h"

#include <arrow/util/checked_cast.h>
#include <arrow/util/decimal.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace shopstream::sql {
namespace {

using arrow::internal::checked_cast;
using LogicalType = Handle<duckdb_logical_type>;

constexpr int kRowsPerWord = 64;  // Of a vector's validity mask.

LogicalType Simple(const DuckDbApi& api, duckdb_type type) {
  return LogicalType(api.destroy_logical_type, api.create_logical_type(type));
}

Result<LogicalType> StructType(const DuckDbApi& api, const arrow::DataType& type) {
  std::vector<LogicalType> members;
  std::vector<duckdb_logical_type> handles;
  std::vector<const char*> names;
  for (const auto& field : type.fields()) {
    ARROW_ASSIGN_OR_RAISE(LogicalType member, SqlType(api, *field->type()));
    handles.push_back(member.get());
    members.push_back(std::move(member));
    names.push_back(field->name().c_str());
  }
  return LogicalType(api.destroy_logical_type,
                     api.create_struct_type(handles.data(), names.data(), handles.size()));
}

void MarkNulls(const DuckDbApi& api, const arrow::Array& values, duckdb_vector vector) {
  if (values.null_count() == 0) return;
  api.vector_ensure_validity_writable(vector);
  uint64_t* const mask = api.vector_get_validity(vector);
  for (int64_t i = 0; i < values.length(); ++i) {
    if (values.IsNull(i)) mask[i / kRowsPerWord] &= ~(uint64_t{1} << (i % kRowsPerWord));
  }
}

template <typename T>
T* DataOf(const DuckDbApi& api, duckdb_vector vector) {
  return static_cast<T*>(api.vector_get_data(vector));
}

// Both sides store the values alike.
void CopyFixed(const DuckDbApi& api, const arrow::Array& values, int64_t width,
               duckdb_vector vector) {
  const uint8_t* const first = values.data()->buffers[1]->data() + values.offset() * width;
  std::memcpy(api.vector_get_data(vector), first, static_cast<size_t>(values.length() * width));
}

void FillBooleans(const DuckDbApi& api, const arrow::Array& values, duckdb_vector vector) {
  const auto& booleans = checked_cast<const arrow::BooleanArray&>(values);
  bool* const out = DataOf<bool>(api, vector);
  for (int64_t i = 0; i < values.length(); ++i) out[i] = booleans.Value(i);
}

// DuckDB stores a decimal in the smallest integer that holds its digits.
template <typename T>
void NarrowDecimals(const arrow::Decimal128Array& values, T* out) {
  for (int64_t i = 0; i < values.length(); ++i) {
    const arrow::Decimal128 value(values.GetValue(i));
    out[i] = static_cast<T>(value.low_bits());
  }
}

void FillDecimals(const DuckDbApi& api, const arrow::Array& values, duckdb_vector vector) {
  const auto& decimals = checked_cast<const arrow::Decimal128Array&>(values);
  const int digits = checked_cast<const arrow::Decimal128Type&>(*values.type()).precision();
  if (digits <= 4) return NarrowDecimals(decimals, DataOf<int16_t>(api, vector));
  if (digits <= 9) return NarrowDecimals(decimals, DataOf<int32_t>(api, vector));
  if (digits <= 18) return NarrowDecimals(decimals, DataOf<int64_t>(api, vector));
  auto* const out = DataOf<duckdb_hugeint>(api, vector);
  for (int64_t i = 0; i < values.length(); ++i) {
    const arrow::Decimal128 value(decimals.GetValue(i));
    out[i] = {value.low_bits(), value.high_bits()};
  }
}

Status FillBytes(const DuckDbApi& api, const arrow::Array& values, duckdb_vector vector) {
  if (values.type_id() == arrow::Type::STRING) {
    const Status checked = checked_cast<const arrow::StringArray&>(values).ValidateUTF8();
    if (!checked.ok()) return Status::Invalid("a text is not UTF-8");
  }
  const auto& bytes = checked_cast<const arrow::BinaryArray&>(values);
  for (int64_t i = 0; i < values.length(); ++i) {
    if (values.IsNull(i)) continue;
    const auto value = bytes.GetView(i);
    api.vector_assign_string_element_len(vector, static_cast<idx_t>(i), value.data(), value.size());
  }
  return Status::OK();
}

// Also a map, which both sides store as a list of pairs.
Status FillLists(const DuckDbApi& api, const arrow::Array& values, duckdb_vector vector) {
  const auto& lists = checked_cast<const arrow::ListArray&>(values);
  const int64_t begin = lists.value_offset(0);
  const int64_t items = lists.value_offset(lists.length()) - begin;
  auto* const entries = DataOf<duckdb_list_entry>(api, vector);
  for (int64_t i = 0; i < lists.length(); ++i) {
    entries[i] = {static_cast<uint64_t>(lists.value_offset(i) - begin),
                  static_cast<uint64_t>(lists.value_length(i))};
  }
  if (api.list_vector_reserve(vector, static_cast<idx_t>(items)) != DuckDBSuccess ||
      api.list_vector_set_size(vector, static_cast<idx_t>(items)) != DuckDBSuccess) {
    return Status::OutOfMemory("no memory for ", items, " list items");
  }
  return FillVector(api, *lists.values()->Slice(begin, items), api.list_vector_get_child(vector));
}

Status FillStructs(const DuckDbApi& api, const arrow::Array& values, duckdb_vector vector) {
  const auto& structs = checked_cast<const arrow::StructArray&>(values);
  for (int i = 0; i < structs.num_fields(); ++i) {
    // Null where the struct is null, as DuckDB demands.
    ARROW_ASSIGN_OR_RAISE(const auto member, structs.GetFlattenedField(i));
    ARROW_RETURN_NOT_OK(
        FillVector(api, *member, api.struct_vector_get_child(vector, static_cast<idx_t>(i))));
  }
  return Status::OK();
}

}  // namespace

Result<LogicalType> SqlType(const DuckDbApi& api, const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return Simple(api, DUCKDB_TYPE_BOOLEAN);
    case arrow::Type::INT8:
      return Simple(api, DUCKDB_TYPE_TINYINT);
    case arrow::Type::INT16:
      return Simple(api, DUCKDB_TYPE_SMALLINT);
    case arrow::Type::INT32:
    case arrow::Type::NA:  // DuckDB's own type of NULL.
      return Simple(api, DUCKDB_TYPE_INTEGER);
    case arrow::Type::INT64:
      return Simple(api, DUCKDB_TYPE_BIGINT);
    case arrow::Type::FLOAT:
      return Simple(api, DUCKDB_TYPE_FLOAT);
    case arrow::Type::DOUBLE:
      return Simple(api, DUCKDB_TYPE_DOUBLE);
    case arrow::Type::STRING:
      return Simple(api, DUCKDB_TYPE_VARCHAR);
    case arrow::Type::BINARY:
      return Simple(api, DUCKDB_TYPE_BLOB);
    case arrow::Type::DATE32:
      return Simple(api, DUCKDB_TYPE_DATE);
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = checked_cast<const arrow::TimestampType&>(type);
      if (timestamp.unit() != arrow::TimeUnit::MICRO) break;
      return Simple(
          api, timestamp.timezone().empty() ? DUCKDB_TYPE_TIMESTAMP : DUCKDB_TYPE_TIMESTAMP_TZ);
    }
    case arrow::Type::DECIMAL128: {
      const auto& decimal = checked_cast<const arrow::Decimal128Type&>(type);
      if (decimal.scale() < 0) break;
      return LogicalType(api.destroy_logical_type,
                         api.create_decimal_type(static_cast<uint8_t>(decimal.precision()),
                                                 static_cast<uint8_t>(decimal.scale())));
    }
    case arrow::Type::LIST: {
      ARROW_ASSIGN_OR_RAISE(const LogicalType item, SqlType(api, *type.field(0)->type()));
      return LogicalType(api.destroy_logical_type, api.create_list_type(item.get()));
    }
    case arrow::Type::MAP: {
      const auto& map = checked_cast<const arrow::MapType&>(type);
      ARROW_ASSIGN_OR_RAISE(const LogicalType key, SqlType(api, *map.key_type()));
      ARROW_ASSIGN_OR_RAISE(const LogicalType value, SqlType(api, *map.item_type()));
      return LogicalType(api.destroy_logical_type, api.create_map_type(key.get(), value.get()));
    }
    case arrow::Type::STRUCT:
      return StructType(api, type);
    default:
      break;
  }
  return Status::NotImplemented("SQL has no type for ", type.ToString());
}

Status FillVector(const DuckDbApi& api, const arrow::Array& values, duckdb_vector vector) {
  if (values.length() == 0) return Status::OK();
  MarkNulls(api, values, vector);
  switch (values.type_id()) {
    case arrow::Type::NA:
      return Status::OK();
    case arrow::Type::BOOL:
      FillBooleans(api, values, vector);
      return Status::OK();
    case arrow::Type::DECIMAL128:
      FillDecimals(api, values, vector);
      return Status::OK();
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return FillBytes(api, values, vector);
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      return FillLists(api, values, vector);
    case arrow::Type::STRUCT:
      return FillStructs(api, values, vector);
    default:
      CopyFixed(api, values, values.type()->byte_width(), vector);
      return Status::OK();
  }
}

}  // namespace shopstream::sql
