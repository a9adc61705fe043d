#include "avro/columns.h"

#include <arrow/array/array_base.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/memory_pool.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/logging.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "avro/binary.h"

namespace shopstream::avro {
namespace {

// Few, because a consumer may keep columns for each of a thousand partitions.
constexpr int64_t kFirstRows = 16;
constexpr int64_t kFirstText = 256;
// Small buffers double; large ones grow by half, so that at most a third of them is unused.
constexpr int64_t kLargeBuffer = int64_t{1} << 20;

int64_t Grown(int64_t size, int64_t width) {
  const int64_t grown = size * width < kLargeBuffer ? size * 2 : size + size / 2;
  return arrow::bit_util::RoundUpToMultipleOf64(grown);
}

}  // namespace

Columns::Columns(std::shared_ptr<arrow::Schema> schema, int decoded, int64_t max_text)
    : schema_(std::move(schema)), max_text_(std::min(max_text, kMaxText)) {
  const int of_decoder = decoded < 0 ? schema_->num_fields() : decoded;
  ARROW_CHECK_LE(of_decoder, schema_->num_fields());
  shape_ = ShapeOf(*schema_, of_decoder);
  for (int i = 0; i < schema_->num_fields(); ++i) {
    fields_.push_back(static_cast<int32_t>(columns_.size()));
    AddColumn(*schema_->field(i), i < of_decoder, /*list=*/-1);
  }
  Release();
}

void Columns::AddColumn(const arrow::Field& field, bool decoded, int32_t list) {
  const auto layout = LayoutOf(*field.type());
  ARROW_CHECK(layout.has_value()) << "no column for " << field.ToString();
  ARROW_CHECK(decoded || field.type()->num_fields() == 0) << field.ToString();
  const auto place = static_cast<int32_t>(columns_.size());
  Column& column = columns_.emplace_back();
  column.layout = *layout;
  column.nullable = field.nullable();
  column.decoded = decoded;
  column.list = list;
  for (const auto& child : field.type()->fields()) {
    AddColumn(*child, decoded, *layout == Layout::kList ? place : list);
  }
  columns_[place].end = static_cast<int32_t>(columns_.size());
}

int64_t Columns::length(const Column& column) const {
  if (!column.decoded) return column.length;
  if (column.list < 0) return rows_;
  const Column& list = columns_[column.list];
  return list.offsets == nullptr ? 0 : list.offsets[length(list)];
}

int64_t Columns::used_bytes() const {
  int64_t bytes = 0;
  for (const Column& column : columns_) {
    const int64_t rows = length(column);
    if (rows == 0) continue;
    bytes += ValueBytes(column.layout, rows);
    if (HasOffsets(column.layout)) bytes += (rows + 1) * static_cast<int64_t>(sizeof(int32_t));
    if (column.layout == Layout::kText) bytes += column.offsets[rows];
  }
  return bytes;
}

std::string_view Columns::StringAt(int place, int64_t row) const {
  const Column& source = columns_[place];
  const int32_t begin = source.offsets[row];
  return {reinterpret_cast<const char*>(source.data) + begin,
          static_cast<size_t>(source.offsets[row + 1] - begin)};
}

int64_t Columns::Int64At(int place, int64_t row) const {
  const Column& source = columns_[place];
  if (source.layout == Layout::kInt32) return LoadAt<int32_t>(source.values, row);
  return LoadAt<int64_t>(source.values, row);
}

bool Columns::BoolAt(int place, int64_t row) const {
  return arrow::bit_util::GetBit(columns_[place].values, row);
}

const uint8_t* Columns::DecimalAt(int place, int64_t row) const {
  return columns_[place].values + row * 16;
}

bool Columns::IsNullAt(int place, int64_t row) const {
  const uint8_t* validity = columns_[place].validity;
  return validity != nullptr && !arrow::bit_util::GetBit(validity, row);
}

Status Columns::CheckAppend(const Column& target, int number, bool fits) const {
  const arrow::Field& field = *schema_->field(number);
  if (target.decoded) return Status::Invalid("column ", field.name(), " is filled by the decoder");
  if (!fits) return Status::Invalid("column ", field.ToString(), " takes no value of this type");
  if (target.length >= rows_) {
    return Status::Invalid("column ", field.name(), " has a value for each of the ", rows_,
                           " rows: decode a row before its other columns are appended");
  }
  return Status::OK();
}

void Columns::MarkAppended(Column* column) {
  if (column->validity != nullptr) arrow::bit_util::SetBit(column->validity, column->length);
  ++column->length;
}

Status Columns::AppendInt64(int column, int64_t value) {
  Column& target = columns_[fields_[column]];
  const bool narrow = target.layout == Layout::kInt32;
  const bool in_range = !narrow || value == static_cast<int32_t>(value);
  ARROW_RETURN_NOT_OK(
      CheckAppend(target, column, (narrow || target.layout == Layout::kInt64) && in_range));
  if (narrow) {
    StoreAt(target.values, target.length, static_cast<int32_t>(value));
  } else {
    StoreAt(target.values, target.length, value);
  }
  MarkAppended(&target);
  return Status::OK();
}

Status Columns::AppendDouble(int column, double value) {
  Column& target = columns_[fields_[column]];
  ARROW_RETURN_NOT_OK(CheckAppend(target, column, target.layout == Layout::kDouble));
  StoreAt(target.values, target.length, value);
  MarkAppended(&target);
  return Status::OK();
}

Status Columns::AppendBool(int column, bool value) {
  Column& target = columns_[fields_[column]];
  ARROW_RETURN_NOT_OK(CheckAppend(target, column, target.layout == Layout::kBool));
  arrow::bit_util::SetBitTo(target.values, target.length, value);
  MarkAppended(&target);
  return Status::OK();
}

Status Columns::AppendString(int column, std::string_view value) {
  Column& target = columns_[fields_[column]];
  ARROW_RETURN_NOT_OK(CheckAppend(target, column, target.layout == Layout::kText));
  const int64_t begin = target.offsets[target.length];
  const int64_t end = begin + static_cast<int64_t>(value.size());
  if (end > target.data_capacity || target.data == nullptr) {
    ARROW_RETURN_NOT_OK(GrowText(end, &target));
  }
  if (!value.empty()) std::memcpy(target.data + begin, value.data(), value.size());
  target.offsets[target.length + 1] = static_cast<int32_t>(end);
  MarkAppended(&target);
  return Status::OK();
}

Status Columns::AppendNull(int column) {
  Column& target = columns_[fields_[column]];
  ARROW_RETURN_NOT_OK(CheckAppend(target, column, target.nullable));
  if (target.validity == nullptr) ARROW_RETURN_NOT_OK(GrowValidity(row_capacity_, &target));
  PutNull(&target, target.length);
  ++target.length;
  return Status::OK();
}

Status Columns::PutNulls(int32_t place_of_column, int64_t place) {
  Column& column = columns_[place_of_column];
  if (column.validity == nullptr) ARROW_RETURN_NOT_OK(GrowValidity(capacity(column), &column));
  PutNull(&column, place);
  return column.layout == Layout::kStruct ? PutNullMembers(place_of_column, place) : Status::OK();
}

Status Columns::PutNullMembers(int32_t column, int64_t place) {
  for (int32_t member = column + 1; member < columns_[column].end; member = columns_[member].end) {
    ARROW_RETURN_NOT_OK(PutNulls(member, place));
  }
  return Status::OK();
}

void Columns::PutNull(Column* column, int64_t place) {
  arrow::bit_util::ClearBit(column->validity, place);
  switch (column->layout) {
    case Layout::kInt64:
    case Layout::kDouble:
      return StoreAt(column->values, place, int64_t{0});
    case Layout::kInt32:
      return StoreAt(column->values, place, int32_t{0});
    case Layout::kBool:
      return arrow::bit_util::ClearBit(column->values, place);
    case Layout::kDecimal:
      StoreAt(column->values, 2 * place, int64_t{0});
      return StoreAt(column->values, 2 * place + 1, int64_t{0});
    case Layout::kText:
    case Layout::kList:
      column->offsets[place + 1] = column->offsets[place];
      return;
    case Layout::kStruct:
      return;
  }
}

void Columns::Truncate(int64_t rows) {
  rows_ = std::clamp<int64_t>(rows, 0, rows_);
  for (Column& column : columns_) column.length = std::min(column.length, rows_);
}

bool Columns::ReserveSlow(int64_t text) {
  if (rows_ >= row_capacity_ && !GrowRows().ok()) return false;
  int64_t budget = max_text_;
  for (Column& column : columns_) {
    // Inside lists each text makes its own room.
    if (!column.decoded || column.layout != Layout::kText || column.list >= 0) continue;
    const int64_t used = column.offsets[rows_];
    if (used + text > column.data_capacity || column.data == nullptr) {
      if (!GrowText(used + text, &column).ok()) return false;
    }
    budget = std::min(budget, column.data_capacity - used);
  }
  text_budget_ = budget - text;
  return text_budget_ >= 0;
}

Status Columns::GrowRows() {
  const int64_t rows =
      row_capacity_ == 0 ? kFirstRows : Grown(row_capacity_, static_cast<int64_t>(sizeof(int64_t)));
  for (Column& column : columns_) {
    if (column.list < 0) ARROW_RETURN_NOT_OK(GrowValues(rows, &column));
  }
  row_capacity_ = rows;
  return Status::OK();
}

Status Columns::GrowItems(int32_t list, int64_t items) {
  Column& owner = columns_[list];
  if (items <= owner.item_capacity) return Status::OK();
  if (items > kMaxText) {
    return Status::CapacityError("the lists of a column hold at most ", kMaxText,
                                 " items: finish the columns first");
  }
  const int64_t grown = Grown(owner.item_capacity, static_cast<int64_t>(sizeof(int64_t)));
  const int64_t capacity = std::max({items, grown, kFirstRows});
  for (int32_t i = list + 1; i < owner.end; ++i) {
    if (columns_[i].list == list) ARROW_RETURN_NOT_OK(GrowValues(capacity, &columns_[i]));
  }
  owner.item_capacity = capacity;
  return Status::OK();
}

Status Columns::GrowValues(int64_t values, Column* column) {
  if (column->layout != Layout::kStruct) {
    const bool is_first = column->values_buffer == nullptr;
    const int64_t size = HasOffsets(column->layout)
                             ? (values + 1) * static_cast<int64_t>(sizeof(int32_t))
                             : ValueBytes(column->layout, values);
    ARROW_RETURN_NOT_OK(GrowBuffer(size, &column->values_buffer));
    column->values = column->values_buffer->mutable_data();
    if (HasOffsets(column->layout)) {
      column->offsets = reinterpret_cast<int32_t*>(column->values);
      if (is_first) column->offsets[0] = 0;
    }
  }
  return column->validity == nullptr ? Status::OK() : GrowValidity(values, column);
}

Status Columns::GrowText(int64_t needed, Column* column) {
  if (needed > max_text_) {
    return Status::CapacityError("a column of text holds at most ", max_text_,
                                 " bytes: finish the columns first");
  }
  const int64_t grown = std::max(Grown(column->data_capacity, 1), kFirstText);
  const int64_t capacity = std::max(needed, std::min(grown, max_text_));
  ARROW_RETURN_NOT_OK(GrowBuffer(capacity + kCopySlack, &column->data_buffer));
  column->data = column->data_buffer->mutable_data();
  column->data_capacity = capacity;
  return Status::OK();
}

Status Columns::GrowValidity(int64_t values, Column* column) {
  const auto& buffer = column->validity_buffer;
  const int64_t before = buffer == nullptr ? 0 : buffer->size();
  const int64_t size = arrow::bit_util::BytesForBits(values);
  ARROW_RETURN_NOT_OK(GrowBuffer(size, &column->validity_buffer));
  column->validity = buffer->mutable_data();
  if (size > before) std::memset(column->validity + before, 0xFF, size - before);
  return Status::OK();
}

Status Columns::GrowBuffer(int64_t size, std::shared_ptr<arrow::ResizableBuffer>* buffer) {
  const int64_t before = *buffer == nullptr ? 0 : (*buffer)->capacity();
  if (*buffer == nullptr) {
    ARROW_ASSIGN_OR_RAISE(*buffer, arrow::AllocateResizableBuffer(size));
  } else {
    ARROW_RETURN_NOT_OK((*buffer)->Resize(size, /*shrink_to_fit=*/false));
  }
  allocated_ += (*buffer)->capacity() - before;
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatch>> Columns::Finish() {
  for (int i = 0; i < schema_->num_fields(); ++i) {
    const int64_t values = length(columns_[fields_[i]]);
    if (values == rows_) continue;
    return Status::Invalid("column ", schema_->field(i)->name(), " has ", values, " values for ",
                           rows_, " rows");
  }
  if (rows_ == 0) {
    Release();
    return arrow::RecordBatch::MakeEmpty(schema_);
  }
  std::vector<std::shared_ptr<arrow::ArrayData>> arrays;
  for (int i = 0; i < schema_->num_fields(); ++i) {
    ARROW_ASSIGN_OR_RAISE(arrays.emplace_back(),
                          TakeColumn(fields_[i], schema_->field(i)->type(), rows_));
  }
  const int64_t rows = rows_;
  Release();
  return arrow::RecordBatch::Make(schema_, rows, std::move(arrays));
}

// Sets the buffer's size to the bytes used but keeps its capacity, because shrinking would copy.
Result<std::shared_ptr<arrow::Buffer>> Columns::Trim(
    int64_t size, const std::shared_ptr<arrow::ResizableBuffer>& buffer) {
  if (buffer == nullptr) return arrow::AllocateBuffer(size);  // Nulls only.
  ARROW_RETURN_NOT_OK(buffer->Resize(size, /*shrink_to_fit=*/false));
  buffer->ZeroPadding();
  return buffer;
}

Result<std::shared_ptr<arrow::ArrayData>> Columns::TakeColumn(
    int32_t place, const std::shared_ptr<arrow::DataType>& type, int64_t length) {
  if (length == 0) {  // Lists without items have no buffers.
    ARROW_ASSIGN_OR_RAISE(const auto empty, arrow::MakeEmptyArray(type));
    return empty->data();
  }
  const Column& column = columns_[place];
  std::vector<std::shared_ptr<arrow::Buffer>> buffers(1);
  if (column.validity != nullptr) {
    const int64_t size = arrow::bit_util::BytesForBits(length);
    ARROW_ASSIGN_OR_RAISE(buffers[0], Trim(size, column.validity_buffer));
  }
  int64_t child_length = length;
  if (HasOffsets(column.layout)) {
    const int64_t offsets = (length + 1) * static_cast<int64_t>(sizeof(int32_t));
    child_length = column.offsets[length];
    ARROW_ASSIGN_OR_RAISE(buffers.emplace_back(), Trim(offsets, column.values_buffer));
  } else if (column.layout != Layout::kStruct) {
    const int64_t values = ValueBytes(column.layout, length);
    ARROW_ASSIGN_OR_RAISE(buffers.emplace_back(), Trim(values, column.values_buffer));
  }
  if (column.layout == Layout::kText) {
    ARROW_ASSIGN_OR_RAISE(buffers.emplace_back(), Trim(child_length, column.data_buffer));
  }
  auto array = arrow::ArrayData::Make(type, length, std::move(buffers));
  int32_t child = place + 1;
  for (const auto& field : type->fields()) {
    ARROW_ASSIGN_OR_RAISE(array->child_data.emplace_back(),
                          TakeColumn(child, field->type(), child_length));
    child = columns_[child].end;
  }
  // The row with the null may have been removed since the bitmap was created.
  if (array->GetNullCount() == 0) array->buffers[0] = nullptr;
  return array;
}

void Columns::Release() {
  for (Column& column : columns_) {
    Column empty;
    empty.layout = column.layout;
    empty.nullable = column.nullable;
    empty.decoded = column.decoded;
    empty.end = column.end;
    empty.list = column.list;
    column = std::move(empty);
  }
  rows_ = 0;
  row_capacity_ = 0;
  text_budget_ = 0;
  allocated_ = 0;
}

}  // namespace shopstream::avro
