#pragma once

#include <arrow/buffer.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/status.h"

namespace shopstream::generate {

// Text that is copied often, padded so that a copy of constant size, which compilers turn into a
// few moves, may read beyond its end.
struct PaddedText {
  static constexpr int kCapacity = 64;
  char bytes[kCapacity] = {};
  int32_t size = 0;

  PaddedText() = default;
  // Truncated at kCapacity bytes.
  explicit PaddedText(std::string_view text)
      : size(static_cast<int32_t>(text.size() < kCapacity ? text.size() : kCapacity)) {
    std::memcpy(bytes, text.data(), size);
  }
};

// A utf8 column with known bounds, written without checks.
class TextColumn {
 public:
  // Room for `rows` texts of at most PaddedText::kCapacity bytes each.
  Status Reserve(int64_t rows);

  // Reads and writes kCopied bytes, of which the first `text.size` count.
  template <int kCopied>
  void Append(const PaddedText& text) {
    std::memcpy(bytes_ + size_, text.bytes, kCopied);
    size_ += text.size;
    offsets_[++row_] = size_;
  }
  // The place for the next text of exactly `size` bytes, which counts as appended.
  char* AppendInPlace(int32_t size) {
    char* place = bytes_ + size_;
    size_ += size;
    offsets_[++row_] = size_;
    return place;
  }
  Result<std::shared_ptr<arrow::ArrayData>> Finish();

 private:
  std::unique_ptr<arrow::ResizableBuffer> offsets_buffer_, bytes_buffer_;
  int32_t* offsets_ = nullptr;
  char* bytes_ = nullptr;
  int32_t size_ = 0;
  int64_t row_ = 0;
};

// A column of fixed width: int32_t, int64_t or double.
template <typename T>
class FixedColumn {
 public:
  Status Reserve(int64_t rows) {
    ARROW_ASSIGN_OR_RAISE(buffer_, arrow::AllocateBuffer(rows * sizeof(T)));
    values_ = reinterpret_cast<T*>(buffer_->mutable_data());
    rows_ = 0;
    return Status::OK();
  }
  void Append(T value) { values_[rows_++] = value; }
  std::shared_ptr<arrow::ArrayData> Finish(const std::shared_ptr<arrow::DataType>& type);

 private:
  std::unique_ptr<arrow::Buffer> buffer_;
  T* values_ = nullptr;
  int64_t rows_ = 0;
};

// One batch of purchases under construction, column by column: PurchaseEventSchema().
struct PurchaseColumns {
  // Offsets are 32 bits wide and a text has up to 64 bytes: this stays far below.
  static constexpr int64_t kMaxRows = 65536;

  TextColumn event_id, region, product_id, product_name, currency;
  FixedColumn<int32_t> user_id, quantity;
  FixedColumn<double> amount;
  FixedColumn<int64_t> timestamp;

  Status Reserve(int64_t rows);
  Result<std::shared_ptr<arrow::RecordBatch>> Finish(int64_t rows);
};

}  // namespace shopstream::generate
