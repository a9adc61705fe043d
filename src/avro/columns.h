#pragma once

#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "avro/layout.h"
#include "base/status.h"

namespace shopstream::avro {

// Columns that grow, in Arrow's own layout. A Decoder appends a whole row or nothing. Columns after
// the decoder's belong to the owner: one Append per decoded row, at any time before Finish.
// Not thread-safe; one owner; movable.
class Columns {
 public:
  static constexpr int64_t kMaxText = std::numeric_limits<int32_t>::max();  // Arrow's offsets.

  // The decoder fills the first `decoded` fields (-1: all). Their types are those of ToArrowSchema;
  // the owner's may also be int32, but not nested. Any other type is a programming error and
  // aborts. A text column takes at most `max_text` bytes.
  explicit Columns(std::shared_ptr<arrow::Schema> schema, int decoded = -1,
                   int64_t max_text = kMaxText);

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  int64_t rows() const { return rows_; }
  int64_t bytes() const { return allocated_; }  // Allocated.
  int64_t used_bytes() const;                   // The part that holds values, without bitmaps.

  // Values of a row already appended, for routing. The column's type must match: utf8 or binary;
  // int64, timestamp, int32 or date32.
  std::string_view String(int column, int64_t row) const { return StringAt(fields_[column], row); }
  int64_t Int64(int column, int64_t row) const { return Int64At(fields_[column], row); }
  bool IsNull(int column, int64_t row) const { return IsNullAt(fields_[column], row); }

  // The same by place (see column_paths.h), which may be a member of structs: it has a value for
  // each row, null where a struct around it is null. Not for items of lists and maps.
  std::string_view StringAt(int place, int64_t row) const;
  int64_t Int64At(int place, int64_t row) const;
  bool BoolAt(int place, int64_t row) const;
  const uint8_t* DecimalAt(int place, int64_t row) const;  // 16 bytes, little-endian.
  bool IsNullAt(int place, int64_t row) const;

  // Appends the next value to one of the owner's columns. Invalid: a column of another type or of
  // the decoder, more values than rows, or a null in a field that is not nullable. CapacityError:
  // the column has no room for more text.
  Status AppendInt64(int column, int64_t value);  // int64, timestamp, int32, date32.
  Status AppendDouble(int column, double value);
  Status AppendBool(int column, bool value);
  Status AppendString(int column, std::string_view value);  // utf8 (not checked again), binary.
  Status AppendNull(int column);

  // Removes the rows from `rows` on: those decoded but refused because of their content.
  void Truncate(int64_t rows);
  // Returns all rows without copying and starts empty, holding no memory. Invalid, and nothing is
  // returned, if one of the owner's columns has fewer values than there are rows.
  Result<std::shared_ptr<arrow::RecordBatch>> Finish();

 private:
  friend class Decoder;

  // In the order of layout.h: members and items follow the column that holds them. Value i of a
  // text column is data[offsets[i], offsets[i + 1]); for a list, these are items of the next
  // column. So the next row overwrites whatever a failed row left behind, including items.
  struct Column {
    Layout layout = Layout::kInt64;
    bool nullable = false;
    bool decoded = false;
    int32_t end = 0;     // The index after the columns that it holds.
    int32_t list = -1;   // The list whose items it belongs to; -1: it has one value per row.
    int64_t length = 0;  // For the owner's columns; the decoder's have rows_.
    // The buffers' bytes, cached for the inner loop.
    uint8_t* values = nullptr;                              // Fixed width.
    int32_t* offsets = nullptr;                             // Text, list.
    uint8_t* data = nullptr;                                // Text.
    uint8_t* validity = nullptr;                            // Present from the first null on.
    int64_t data_capacity = 0;                              // Text, in bytes, excluding the slack.
    int64_t item_capacity = 0;                              // List: of each column of its items.
    std::shared_ptr<arrow::ResizableBuffer> values_buffer;  // Values or offsets.
    std::shared_ptr<arrow::ResizableBuffer> data_buffer;
    std::shared_ptr<arrow::ResizableBuffer> validity_buffer;
  };

  // Makes room for one more row with at most `text` bytes of text in each of the decoder's columns.
  // False: a text column is full, or memory ran out; nothing has changed.
  bool Reserve(int64_t text) {
    if (rows_ < row_capacity_ && text <= text_budget_) [[likely]] {
      text_budget_ -= text;
      return true;
    }
    return ReserveSlow(text);
  }
  bool ReserveSlow(int64_t text);
  Status GrowRows();
  // Makes room for `items` items in the columns of the list's items.
  Status GrowItems(int32_t list, int64_t items);
  Status GrowValues(int64_t values, Column* column);
  Status GrowText(int64_t needed, Column* column);
  Status GrowBuffer(int64_t size, std::shared_ptr<arrow::ResizableBuffer>* buffer);
  Status GrowValidity(int64_t values, Column* column);  // New bits are set to valid.
  int64_t capacity(const Column& column) const {
    return column.list < 0 ? row_capacity_ : columns_[column.list].item_capacity;
  }
  int64_t length(const Column& column) const;
  Status CheckAppend(const Column& column, int field, bool fits) const;
  void MarkAppended(Column* column);
  // Writes a null: also null in all members of structs, and no items. Creates the bitmaps.
  Status PutNulls(int32_t column, int64_t place);
  // The same for everything the column holds, but not for the column itself.
  Status PutNullMembers(int32_t column, int64_t place);
  // Writes a null at `place`; the column must have its validity bitmap.
  static void PutNull(Column* column, int64_t place);
  static Result<std::shared_ptr<arrow::Buffer>> Trim(
      int64_t size, const std::shared_ptr<arrow::ResizableBuffer>& buffer);
  Result<std::shared_ptr<arrow::ArrayData>> TakeColumn(int32_t column,
                                                       const std::shared_ptr<arrow::DataType>& type,
                                                       int64_t length);
  void AddColumn(const arrow::Field& field, bool decoded, int32_t list);
  void Release();

  std::shared_ptr<arrow::Schema> schema_;
  std::vector<Column> columns_;
  std::vector<int32_t> fields_;  // The index in columns_ of each field of the schema.
  int64_t max_text_;
  uint64_t shape_ = 0;  // The decoder's columns; see layout.h.
  int64_t rows_ = 0;
  int64_t row_capacity_ = 0;  // In every column.
  // A lower bound of the room left in each of the decoder's text columns.
  int64_t text_budget_ = 0;
  int64_t allocated_ = 0;
};

}  // namespace shopstream::avro
