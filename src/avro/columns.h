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

// Growing columns in Arrow's own layout. A row is appended whole by a Decoder, or not at all.
// Columns behind those of the decoder are the owner's: one Append for each decoded row, at any
// time before Finish. Not thread-safe; one owner; movable.
class Columns {
 public:
  static constexpr int64_t kMaxText = std::numeric_limits<int32_t>::max();  // Arrow's offsets.

  // The decoder fills the first `decoded` fields (-1: all). The types are those of ToArrowSchema,
  // and int32 for the owner's, which hold no others; another type is a programming error and
  // aborts. A column of text takes at most `max_text` bytes.
  explicit Columns(std::shared_ptr<arrow::Schema> schema, int decoded = -1,
                   int64_t max_text = kMaxText);

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  int64_t rows() const { return rows_; }
  int64_t bytes() const { return allocated_; }  // Allocated.
  int64_t used_bytes() const;                   // Of those, holding values; without bitmaps.

  // Values of a row already appended; for routing. The column's type must fit: utf8 or binary;
  // int64, timestamp, int32 or date32.
  std::string_view String(int column, int64_t row) const;
  int64_t Int64(int column, int64_t row) const;
  bool IsNull(int column, int64_t row) const;

  // The next value of one of the owner's columns. Invalid: a column of another type or of the
  // decoder's, more values than rows, a null where the field is not nullable. CapacityError: no
  // more text fits the column.
  Status AppendInt64(int column, int64_t value);  // int64, timestamp, int32, date32.
  Status AppendDouble(int column, double value);
  Status AppendBool(int column, bool value);
  Status AppendString(int column, std::string_view value);  // utf8 (not checked again), binary.
  Status AppendNull(int column);

  // Takes back the rows from `rows` on: a row that decoded but is refused for its content.
  void Truncate(int64_t rows);
  // Hands over all rows without copying and starts empty, holding no memory. Invalid, and nothing
  // is handed over, where one of the owner's columns has fewer values than there are rows.
  Result<std::shared_ptr<arrow::RecordBatch>> Finish();

 private:
  friend class Decoder;

  // In the order of layout.h: members and items behind what holds them. Value i of a column of text
  // is data[offsets[i], offsets[i + 1]); of a list, these items of the column behind it. So what a
  // row that failed has left behind is overwritten by the next, in items too.
  struct Column {
    Layout layout = Layout::kInt64;
    bool nullable = false;
    bool decoded = false;
    int32_t end = 0;     // The column behind those that it holds.
    int32_t list = -1;   // Whose items it belongs to; -1: it has one value a row.
    int64_t length = 0;  // Of the owner's columns; the decoder's have rows_.
    // The buffers' bytes, kept beside them for the inner loop.
    uint8_t* values = nullptr;                              // Of a fixed width.
    int32_t* offsets = nullptr;                             // Text, list.
    uint8_t* data = nullptr;                                // Text.
    uint8_t* validity = nullptr;                            // From the first null on.
    int64_t data_capacity = 0;                              // Text, in bytes, without the slack.
    int64_t item_capacity = 0;                              // List: of each column of its items.
    std::shared_ptr<arrow::ResizableBuffer> values_buffer;  // Or offsets.
    std::shared_ptr<arrow::ResizableBuffer> data_buffer;
    std::shared_ptr<arrow::ResizableBuffer> validity_buffer;
  };

  // Room for one more row whose text is at most `text` bytes in each of the decoder's columns.
  // False: a column of text is full, or no memory; nothing has changed.
  bool Reserve(int64_t text) {
    if (rows_ < row_capacity_ && text <= text_budget_) [[likely]] {
      text_budget_ -= text;
      return true;
    }
    return ReserveSlow(text);
  }
  bool ReserveSlow(int64_t text);
  Status GrowRows();
  // Room for `items` in the columns of a list's items.
  Status GrowItems(int32_t list, int64_t items);
  Status GrowValues(int64_t values, Column* column);
  Status GrowText(int64_t needed, Column* column);
  Status GrowBuffer(int64_t size, std::shared_ptr<arrow::ResizableBuffer>* buffer);
  Status GrowValidity(int64_t values, Column* column);  // What is new says valid.
  int64_t capacity(const Column& column) const {
    return column.list < 0 ? row_capacity_ : columns_[column.list].item_capacity;
  }
  int64_t length(const Column& column) const;
  Status CheckAppend(const Column& column, int field, bool fits) const;
  void MarkAppended(Column* column);
  // Null, with all members of structs and no items; makes the bitmaps.
  Status PutNulls(int32_t column, int64_t place);
  // The same of what the column holds, and not of itself.
  Status PutNullMembers(int32_t column, int64_t place);
  // A null at `place`; the column has its validity bitmap.
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
  std::vector<int32_t> fields_;  // Of columns_, that of each field of the schema.
  int64_t max_text_;
  uint64_t shape_ = 0;  // Of the decoder's columns; layout.h.
  int64_t rows_ = 0;
  int64_t row_capacity_ = 0;  // In every column.
  // A lower bound of the room that each of the decoder's columns of text still has.
  int64_t text_budget_ = 0;
  int64_t allocated_ = 0;
};

}  // namespace shopstream::avro
