#include "avro/columns.h"

#include <arrow/array/data.h>
#include <arrow/memory_pool.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/logging.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "avro/binary.h"

namespace shopstream::avro {
namespace {

// Few, since a consumer may keep columns for each of a thousand partitions.
constexpr int64_t kFirstRows = 16;
constexpr int64_t kFirstText = 256;
// Small buffers double; large ones grow by half, so that at most a third of them lies idle.
constexpr int64_t kLargeBuffer = int64_t{1} << 20;

int64_t Grown(int64_t size, int64_t width) {
  const int64_t grown = size * width < kLargeBuffer ? size * 2 : size + size / 2;
  return arrow::bit_util::RoundUpToMultipleOf64(grown);
}

}  // namespace

Columns::Columns(std::shared_ptr<arrow::Schema> schema, int decoded, int64_t max_text)
    : schema_(std::move(schema)),
      columns_(schema_->num_fields()),
      max_text_(std::min(max_text, kMaxText)) {
  const int of_decoder = decoded < 0 ? schema_->num_fields() : decoded;
  ARROW_CHECK_LE(of_decoder, schema_->num_fields());
  shape_ = ShapeOf(*schema_, of_decoder);
  for (int i = 0; i < schema_->num_fields(); ++i) {
    const auto layout = LayoutOf(*schema_->field(i)->type());
    ARROW_CHECK(layout.has_value()) << "no column for " << schema_->field(i)->ToString();
    columns_[i].layout = *layout;
    columns_[i].nullable = schema_->field(i)->nullable();
    columns_[i].decoded = i < of_decoder;
  }
  Release();
}

int64_t Columns::used_bytes() const {
  int64_t bytes = 0;
  for (const Column& column : columns_) {
    const int64_t rows = length(column);
    if (rows == 0) continue;
    if (column.layout == Layout::kText) {
      bytes += (rows + 1) * sizeof(int32_t) + column.offsets[rows];
    } else {
      bytes += ValueBytes(column.layout, rows);
    }
  }
  return bytes;
}

std::string_view Columns::String(int column, int64_t row) const {
  const Column& source = columns_[column];
  const int32_t begin = source.offsets[row];
  return {reinterpret_cast<const char*>(source.data) + begin,
          static_cast<size_t>(source.offsets[row + 1] - begin)};
}

int64_t Columns::Int64(int column, int64_t row) const {
  const Column& source = columns_[column];
  if (source.layout == Layout::kInt32) return LoadAt<int32_t>(source.values, row);
  return LoadAt<int64_t>(source.values, row);
}

bool Columns::IsNull(int column, int64_t row) const {
  const uint8_t* validity = columns_[column].validity;
  return validity != nullptr && !arrow::bit_util::GetBit(validity, row);
}

Status Columns::CheckAppend(int column, bool fits) const {
  const Column& target = columns_[column];
  const arrow::Field& field = *schema_->field(column);
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
  Column& target = columns_[column];
  const bool narrow = target.layout == Layout::kInt32;
  const bool in_range = !narrow || value == static_cast<int32_t>(value);
  ARROW_RETURN_NOT_OK(CheckAppend(column, (narrow || target.layout == Layout::kInt64) && in_range));
  if (narrow) {
    StoreAt(target.values, target.length, static_cast<int32_t>(value));
  } else {
    StoreAt(target.values, target.length, value);
  }
  MarkAppended(&target);
  return Status::OK();
}

Status Columns::AppendDouble(int column, double value) {
  Column& target = columns_[column];
  ARROW_RETURN_NOT_OK(CheckAppend(column, target.layout == Layout::kDouble));
  StoreAt(target.values, target.length, value);
  MarkAppended(&target);
  return Status::OK();
}

Status Columns::AppendBool(int column, bool value) {
  Column& target = columns_[column];
  ARROW_RETURN_NOT_OK(CheckAppend(column, target.layout == Layout::kBool));
  arrow::bit_util::SetBitTo(target.values, target.length, value);
  MarkAppended(&target);
  return Status::OK();
}

Status Columns::AppendString(int column, std::string_view value) {
  Column& target = columns_[column];
  ARROW_RETURN_NOT_OK(CheckAppend(column, target.layout == Layout::kText));
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
  Column& target = columns_[column];
  ARROW_RETURN_NOT_OK(CheckAppend(column, target.nullable));
  if (target.validity == nullptr) ARROW_RETURN_NOT_OK(GrowValidity(row_capacity_, &target));
  PutNull(&target, target.length);
  ++target.length;
  return Status::OK();
}

void Columns::PutNull(Column* column, int64_t row) {
  arrow::bit_util::ClearBit(column->validity, row);
  switch (column->layout) {
    case Layout::kInt64:
    case Layout::kDouble:
      return StoreAt(column->values, row, int64_t{0});
    case Layout::kInt32:
      return StoreAt(column->values, row, int32_t{0});
    case Layout::kBool:
      return arrow::bit_util::ClearBit(column->values, row);
    case Layout::kText:
      column->offsets[row + 1] = column->offsets[row];
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
    if (!column.decoded || column.layout != Layout::kText) continue;
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
    const int64_t size = column.layout == Layout::kText
                             ? (rows + 1) * static_cast<int64_t>(sizeof(int32_t))
                             : ValueBytes(column.layout, rows);
    ARROW_RETURN_NOT_OK(GrowBuffer(size, &column.values_buffer));
    column.values = column.values_buffer->mutable_data();
    column.offsets = reinterpret_cast<int32_t*>(column.values);
    if (row_capacity_ == 0 && column.layout == Layout::kText) column.offsets[0] = 0;
    if (column.validity != nullptr) ARROW_RETURN_NOT_OK(GrowValidity(rows, &column));
  }
  row_capacity_ = rows;
  return Status::OK();
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

Status Columns::GrowValidity(int64_t rows, Column* column) {
  const auto& buffer = column->validity_buffer;
  const int64_t before = buffer == nullptr ? 0 : buffer->size();
  const int64_t size = arrow::bit_util::BytesForBits(rows);
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
    if (length(columns_[i]) == rows_) continue;
    return Status::Invalid("column ", schema_->field(i)->name(), " has ", length(columns_[i]),
                           " values for ", rows_, " rows");
  }
  if (rows_ == 0) {
    Release();
    return arrow::RecordBatch::MakeEmpty(schema_);
  }
  std::vector<std::shared_ptr<arrow::ArrayData>> arrays;
  for (int i = 0; i < schema_->num_fields(); ++i) {
    ARROW_ASSIGN_OR_RAISE(arrays.emplace_back(), TakeColumn(&columns_[i], *schema_->field(i)));
  }
  const int64_t rows = rows_;
  Release();
  return arrow::RecordBatch::Make(schema_, rows, std::move(arrays));
}

// Sets the buffer's size to what is used; its capacity stays, since shrinking would copy.
Result<std::shared_ptr<arrow::Buffer>> Columns::Trim(
    int64_t size, const std::shared_ptr<arrow::ResizableBuffer>& buffer) {
  if (buffer == nullptr) return arrow::AllocateBuffer(size);  // Nulls only.
  ARROW_RETURN_NOT_OK(buffer->Resize(size, /*shrink_to_fit=*/false));
  buffer->ZeroPadding();
  return buffer;
}

Result<std::shared_ptr<arrow::ArrayData>> Columns::TakeColumn(Column* column,
                                                              const arrow::Field& field) {
  std::vector<std::shared_ptr<arrow::Buffer>> buffers(1);
  if (column->validity != nullptr) {
    const int64_t size = arrow::bit_util::BytesForBits(rows_);
    ARROW_ASSIGN_OR_RAISE(buffers[0], Trim(size, column->validity_buffer));
  }
  if (column->layout == Layout::kText) {
    const int64_t offsets = (rows_ + 1) * static_cast<int64_t>(sizeof(int32_t));
    const int64_t text = column->offsets[rows_];
    ARROW_ASSIGN_OR_RAISE(buffers.emplace_back(), Trim(offsets, column->values_buffer));
    ARROW_ASSIGN_OR_RAISE(buffers.emplace_back(), Trim(text, column->data_buffer));
  } else {
    const int64_t values = ValueBytes(column->layout, rows_);
    ARROW_ASSIGN_OR_RAISE(buffers.emplace_back(), Trim(values, column->values_buffer));
  }
  auto array = arrow::ArrayData::Make(field.type(), rows_, std::move(buffers));
  // A null may have been taken back since the bitmap was made.
  if (array->GetNullCount() == 0) array->buffers[0] = nullptr;
  return array;
}

void Columns::Release() {
  for (Column& column : columns_) {
    Column empty;
    empty.layout = column.layout;
    empty.nullable = column.nullable;
    empty.decoded = column.decoded;
    column = std::move(empty);
  }
  rows_ = 0;
  row_capacity_ = 0;
  text_budget_ = 0;
  allocated_ = 0;
}

}  // namespace shopstream::avro
