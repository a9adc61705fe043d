#include "lake/parquet/stored_column.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/cast.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/unicode_names.h"
#include "lake/parquet/partition_path.h"
#include "model/calendar.h"

namespace shopstream::lake {
namespace {

using arrow::internal::checked_cast;

Result<std::shared_ptr<arrow::ChunkedArray>> Constant(const std::shared_ptr<arrow::Scalar>& value,
                                                      int64_t rows, arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(auto array, arrow::MakeArrayFromScalar(*value, rows, pool));
  return std::make_shared<arrow::ChunkedArray>(std::move(array));
}

constexpr int64_t kNanosPerMicro = 1000;

// Rounds down to microseconds; Arrow's cast would round values before 1970 up.
Result<std::shared_ptr<arrow::Array>> Floored(const arrow::TimestampArray& nanos,
                                              const std::shared_ptr<arrow::DataType>& micros,
                                              arrow::MemoryPool* pool) {
  arrow::TimestampBuilder builder(micros, pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(nanos.length()));
  for (int64_t i = 0; i < nanos.length(); ++i) {
    if (nanos.IsNull(i)) {
      builder.UnsafeAppendNull();
    } else {
      const int64_t value = nanos.Value(i);
      builder.UnsafeAppend(FloorDiv(value, kNanosPerMicro));
    }
  }
  return builder.Finish();
}

bool IsTimestamp(const arrow::DataType& type, arrow::TimeUnit::type unit) {
  return type.id() == arrow::Type::TIMESTAMP &&
         checked_cast<const arrow::TimestampType&>(type).unit() == unit;
}

// Converts what another writer stored (INT96, a narrower integer, large strings) to the table's
// type. A value that the type cannot represent is an error.
Result<std::shared_ptr<arrow::Array>> CastTo(const std::shared_ptr<arrow::Array>& array,
                                             const std::shared_ptr<arrow::DataType>& type,
                                             arrow::compute::ExecContext* context) {
  if (IsTimestamp(*array->type(), arrow::TimeUnit::NANO) &&
      IsTimestamp(*type, arrow::TimeUnit::MICRO)) {
    return Floored(checked_cast<const arrow::TimestampArray&>(*array), type,
                   context->memory_pool());
  }
  const auto options = arrow::compute::CastOptions::Safe(type);
  ARROW_ASSIGN_OR_RAISE(const auto cast, arrow::compute::Cast(*array, options, context));
  return cast.make_array();
}

// The array with the same length, nulls and offsets but other children. Its offset is kept, so the
// children must be complete.
std::shared_ptr<arrow::Array> WithChildren(
    const arrow::Array& array, const std::shared_ptr<arrow::DataType>& type,
    std::vector<std::shared_ptr<arrow::ArrayData>> children) {
  auto data = array.data()->Copy();
  data->type = type;
  data->child_data = std::move(children);
  return arrow::MakeArray(data);
}

Result<std::shared_ptr<arrow::Array>> ArrayAsType(const std::shared_ptr<arrow::Array>& array,
                                                  const std::shared_ptr<arrow::DataType>& type,
                                                  arrow::compute::ExecContext* context);

// `name_at(i)` is the name of field i.
template <typename NameAt>
int IndexOfName(int count, const NameAt& name_at, const std::string& name) {
  for (int i = 0; i < count; ++i) {
    if (name_at(i) == name) return i;
  }
  for (int i = 0; i < count; ++i) {
    if (EqualButForCase(name_at(i), name)) return i;
  }
  return -1;
}

// A member that the file lacks is null: the table's struct has grown since.
Result<std::shared_ptr<arrow::Array>> StructAsType(const arrow::Array& array,
                                                   const std::shared_ptr<arrow::DataType>& type,
                                                   arrow::compute::ExecContext* context) {
  const auto& stored = checked_cast<const arrow::StructType&>(*array.type());
  std::vector<std::shared_ptr<arrow::ArrayData>> members;
  for (const auto& member : type->fields()) {
    const int index = StoredIndex(stored.fields(), member->name());
    std::shared_ptr<arrow::Array> values;
    if (index >= 0) {
      ARROW_ASSIGN_OR_RAISE(values, ArrayAsType(arrow::MakeArray(array.data()->child_data[index]),
                                                member->type(), context));
    } else {
      ARROW_ASSIGN_OR_RAISE(values,
                            arrow::MakeArrayOfNull(member->type(), array.offset() + array.length(),
                                                   context->memory_pool()));
    }
    members.push_back(values->data());
  }
  return WithChildren(array, type, std::move(members));
}

Result<std::shared_ptr<arrow::Array>> ArrayAsType(const std::shared_ptr<arrow::Array>& array,
                                                  const std::shared_ptr<arrow::DataType>& type,
                                                  arrow::compute::ExecContext* context) {
  if (array->type()->Equals(type)) return array;
  if (type->id() == arrow::Type::NA) return std::make_shared<arrow::NullArray>(array->length());
  if (array->type_id() != type->id()) return CastTo(array, type, context);
  if (type->id() == arrow::Type::STRUCT) return StructAsType(*array, type, context);
  if (type->id() != arrow::Type::LIST && type->id() != arrow::Type::MAP) {
    return CastTo(array, type, context);
  }
  const auto child = arrow::MakeArray(array->data()->child_data[0]);
  ARROW_ASSIGN_OR_RAISE(const auto items, ArrayAsType(child, type->field(0)->type(), context));
  return WithChildren(*array, type, {items->data()});
}

Result<std::shared_ptr<arrow::ChunkedArray>> AsType(
    const std::shared_ptr<arrow::ChunkedArray>& column,
    const std::shared_ptr<arrow::DataType>& type, arrow::compute::ExecContext* context) {
  if (column->type()->Equals(type)) return column;
  arrow::ArrayVector chunks;
  for (const auto& chunk : column->chunks()) {
    ARROW_ASSIGN_OR_RAISE(chunks.emplace_back(), ArrayAsType(chunk, type, context));
  }
  return arrow::ChunkedArray::Make(std::move(chunks), type);
}

// Null: not a partition column.
const std::optional<std::string>* PartitionValue(const PartitionValues& partition,
                                                 const std::string& column) {
  for (const auto& value : partition) {
    if (value.first == column) return &value.second;
  }
  return nullptr;
}

}  // namespace

bool EqualButForCase(std::string_view a, std::string_view b) {
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  size_t i = 0;
  for (; i < a.size() && i < b.size() && is_ascii(a[i]) && is_ascii(b[i]); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  if (i == a.size() || i == b.size()) return a.size() == b.size();
  return FoldCase(a.substr(i)) == FoldCase(b.substr(i));
}

int StoredIndex(const arrow::FieldVector& stored, const std::string& name) {
  return IndexOfName(
      static_cast<int>(stored.size()),
      [&stored](int i) -> const std::string& { return stored[i]->name(); }, name);
}

parquet::ArrowReaderProperties DataFileProperties() {
  parquet::ArrowReaderProperties properties(/*use_threads=*/false);
  properties.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);
  return properties;
}

Result<std::unique_ptr<parquet::arrow::FileReader>> OpenDataFile(
    std::shared_ptr<arrow::io::RandomAccessFile> input) {
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(std::move(input)));
  return builder.properties(DataFileProperties())->Build();
}

std::vector<int> LeavesOf(const parquet::FileMetaData& file, const arrow::FieldVector& fields,
                          const PartitionValues& partition) {
  const auto& root = *file.schema()->group_node();
  const auto name_at = [&root](int i) -> const std::string& { return root.field(i)->name(); };
  std::unordered_set<int> wanted;
  for (const auto& field : fields) {
    if (PartitionValue(partition, field->name()) == nullptr) {
      wanted.insert(IndexOfName(root.field_count(), name_at, field->name()));
    }
  }
  std::vector<int> leaves;
  for (int leaf = 0; leaf < file.num_columns(); ++leaf) {
    if (wanted.contains(root.FieldIndex(*file.schema()->GetColumnRoot(leaf)))) {
      leaves.push_back(leaf);
    }
  }
  return leaves;
}

Result<std::shared_ptr<arrow::ChunkedArray>> ColumnOf(
    const arrow::Field& field, const std::shared_ptr<arrow::ChunkedArray>& stored,
    const PartitionValues& partition, int64_t rows, arrow::MemoryPool* pool) {
  if (const auto* value = PartitionValue(partition, field.name())) {
    ARROW_ASSIGN_OR_RAISE(const auto scalar, ParsePartitionValue(*value, field.type()));
    return Constant(scalar, rows, pool);
  }
  if (stored == nullptr) return Constant(arrow::MakeNullScalar(field.type()), rows, pool);
  arrow::compute::ExecContext context(pool);
  return AsType(stored, field.type(), &context);
}

}  // namespace shopstream::lake
