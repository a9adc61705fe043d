#include "avro/encoder.h"

#include <arrow/array/data.h>
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "avro/binary.h"
#include "avro/encode_program.h"
#include "avro/layout.h"
#include "avro/logical_text.h"

namespace shopstream::avro {
namespace {

// Per value, without its text and branch: a number, a length, or the end of a block and the list.
constexpr int64_t kMaxValueBytes = kMaxLongBytes + 1;
constexpr int64_t kMaxBranchBytes = kMaxIntBytes;
constexpr int64_t kMicrosPerMilli = 1000;
constexpr int64_t kNanosPerMicro = 1000;

// An op's column in one batch.
struct Source {
  const EncodeOp* op = nullptr;
  EncodeCode code = EncodeCode::kNull;
  int32_t branch = -1;
  const uint8_t* validity = nullptr;  // Null if the column has no nulls.
  int64_t first = 0;                  // Value 0 within the buffers; `offsets` starts at value 0.
  const uint8_t* values = nullptr;
  const int32_t* offsets = nullptr;
  const uint8_t* text = nullptr;
  int64_t text_size = 0;  // Readable, from `text`.
  std::vector<Source> inner;
};

bool HasText(EncodeCode code) {
  return code == EncodeCode::kText || code == EncodeCode::kFixed || code == EncodeCode::kUuid ||
         code == EncodeCode::kDuration || code == EncodeCode::kEnum ||
         code == EncodeCode::kDecimalText;
}

Source Bind(const EncodeOp& op, const arrow::ArrayData* array) {
  Source source;
  source.op = &op;
  source.code = op.code;
  source.branch = op.branch;
  if (array == nullptr || op.code == EncodeCode::kNull) return source;
  source.first = array->offset;
  if (array->GetNullCount() > 0) source.validity = array->buffers[0]->data();
  const bool is_list = op.code == EncodeCode::kArray || op.code == EncodeCode::kMap;
  if (array->buffers.size() > 1 && array->buffers[1] != nullptr) {
    source.values = array->buffers[1]->data();
    if (HasText(op.code) || is_list) source.offsets = array->GetValues<int32_t>(1);
  }
  if (HasText(op.code) && array->buffers[2] != nullptr) {
    source.text = array->buffers[2]->data();
    source.text_size = array->buffers[2]->size();
  }
  const auto* children = op.code == EncodeCode::kMap ? array->child_data[0].get() : array;
  for (size_t i = 0; i < op.inner.size(); ++i) {
    const int child = is_list ? static_cast<int>(i) : op.inner[i].column;
    source.inner.push_back(
        Bind(op.inner[i], child < 0 ? nullptr : children->child_data[child].get()));
    // The entries of a map are a struct with its own offset.
    if (op.code == EncodeCode::kMap) {
      source.inner.back().first += children->offset;
      if (source.inner.back().offsets != nullptr) source.inner.back().offsets += children->offset;
    }
  }
  return source;
}

// An upper bound on the size of the values [begin, end).
int64_t MostBytes(const Source& source, int64_t begin, int64_t end) {
  const EncodeOp& op = *source.op;
  int64_t each = kMaxValueBytes + std::max<int64_t>(op.size, 0);
  if (op.branch >= 0 || op.null_branch >= 0) each += kMaxBranchBytes;
  int64_t bytes = (end - begin) * each;
  if (source.code == EncodeCode::kDecimal) bytes += (end - begin) * 16;
  const bool is_list = source.code == EncodeCode::kArray || source.code == EncodeCode::kMap;
  if (source.offsets != nullptr && !is_list) bytes += source.offsets[end] - source.offsets[begin];
  if (is_list) {
    if (source.offsets == nullptr) return bytes;
    const int64_t first = source.offsets[begin];
    const int64_t last = source.offsets[end];
    for (const Source& inner : source.inner) bytes += MostBytes(inner, first, last);
    return bytes;
  }
  for (const Source& inner : source.inner) {
    bytes += MostBytes(inner, source.first + begin, source.first + end);
  }
  return bytes;
}

// Writes rows; the caller has made room for the longest. Remembers the first value that does not
// fit, and omits such values.
class RowWriter {
 public:
  RowWriter(const std::vector<Source>& sources, uint8_t* to) : sources_(sources), to_(to) {}

  uint8_t* WriteRow(int64_t row, std::span<const uint8_t> prefix) {
    row_ = row;
    uint8_t* to = to_;
    if (!prefix.empty()) std::memcpy(to, prefix.data(), prefix.size());
    to += prefix.size();
    for (const Source& source : sources_) to = WriteValue(source, row, to);
    return to_ = to;
  }

  const Status& status() const { return status_; }

 private:
  // The common cases take and return the write position, which so stays in a register.
  [[gnu::always_inline]] uint8_t* WriteValue(const Source& source, int64_t i, uint8_t* to) {
    const int64_t place = source.first + i;
    if (source.validity != nullptr && !arrow::bit_util::GetBit(source.validity, place)) {
      return Rarely(to, [&] { WriteNull(source); });
    }
    if (source.branch >= 0) to = PutLong(source.branch, to);
    switch (source.code) {
      case EncodeCode::kNull:
        return to;
      case EncodeCode::kInt32:
        return PutLong(LoadAt<int32_t>(source.values, place), to);
      case EncodeCode::kInt64:
        return PutLong(LoadAt<int64_t>(source.values, place), to);
      case EncodeCode::kInt32AsDouble:
        return PutNumber(static_cast<double>(LoadAt<int32_t>(source.values, place)), to);
      case EncodeCode::kDouble:
        return PutNumber(LoadAt<double>(source.values, place), to);
      case EncodeCode::kText:
        return PutText(source, i, to);
      case EncodeCode::kBoolean:
        *to = arrow::bit_util::GetBit(source.values, place) ? 1 : 0;
        return to + 1;
      default:
        return Rarely(to, [&] { WriteRare(source, i); });
    }
  }

  template <typename Write>
  uint8_t* Rarely(uint8_t* to, Write write) {
    to_ = to;
    write();
    return to_;
  }

  static uint8_t* PutLong(int64_t value, uint8_t* to) { return PutVarint(ZigZag(value), to); }

  template <typename T>
  static uint8_t* PutNumber(T value, uint8_t* to) {
    std::memcpy(to, &value, sizeof(value));
    return to + sizeof(value);
  }

  [[gnu::always_inline]] static uint8_t* PutText(const Source& source, int64_t i, uint8_t* to) {
    const int64_t begin = source.offsets[i];
    const int64_t size = source.offsets[i + 1] - begin;
    to = PutLong(size, to);
    CopyText(source.text + begin, static_cast<size_t>(size),
             static_cast<size_t>(source.text_size - begin), to);
    return to + size;
  }

  [[gnu::noinline]] void WriteRare(const Source& source, int64_t i) {
    const int64_t place = source.first + i;
    switch (source.code) {
      case EncodeCode::kFloat:
        return WriteFloat(source, LoadAt<double>(source.values, place));
      case EncodeCode::kMicrosAsMillis:
        return WriteMillis(source, LoadAt<int64_t>(source.values, place));
      case EncodeCode::kMicrosAsNanos:
        return WriteNanos(source, LoadAt<int64_t>(source.values, place));
      case EncodeCode::kRecord:
        for (const Source& field : source.inner) to_ = WriteValue(field, place, to_);
        return;
      case EncodeCode::kInt64AsInt:
        return WriteInt(source, LoadAt<int64_t>(source.values, place));
      case EncodeCode::kUnion:
        return WriteMember(source, place);
      case EncodeCode::kArray:
      case EncodeCode::kMap:
        return WriteItems(source, i);
      case EncodeCode::kDecimal:
        return WriteDecimal(source,
                            DecimalBytes(LoadAt<std::array<uint64_t, 2>>(source.values, place)));
      default:
        return WriteFromText(source, i);
    }
  }

  template <typename... Args>
  void Refuse(const Source& source, Args&&... reason) {
    if (!status_.ok()) return;
    status_ = Status::Invalid(source.op->name, " ", std::forward<Args>(reason)...);
  }

  void WriteNull(const Source& source) {
    if (source.op->null_branch >= 0) return WriteLong(source.op->null_branch);
    Refuse(source, "is null in row ", row_,
           ", and its Avro field is not a union with null; make it one, or fill the value");
  }

  void WriteLong(int64_t value) { to_ = PutLong(value, to_); }

  void WriteInt(const Source& source, int64_t value) {
    if (value != static_cast<int32_t>(value)) [[unlikely]] {
      return Refuse(source, "holds ", value, " in row ", row_,
                    ", beyond an Avro int; make the field a long");
    }
    WriteLong(value);
  }

  void WriteFloat(const Source& source, double value) {
    const auto narrow = static_cast<float>(value);
    if (double{narrow} != value && !std::isnan(value)) {
      return Refuse(source, "holds ", value, " in row ", row_,
                    ", which is not an Avro float; make the field a double");
    }
    to_ = PutNumber(narrow, to_);
  }

  void WriteMillis(const Source& source, int64_t micros) {
    if (micros % kMicrosPerMilli != 0) {
      return Refuse(source, "holds ", micros, " us in row ", row_,
                    ", not whole milliseconds; make the field timestamp-micros");
    }
    WriteLong(micros / kMicrosPerMilli);
  }

  void WriteNanos(const Source& source, int64_t micros) {
    int64_t nanos;
    if (__builtin_mul_overflow(micros, kNanosPerMicro, &nanos)) {
      return Refuse(source, "holds ", micros, " us in row ", row_,
                    ", beyond timestamp-nanos; make the field timestamp-micros");
    }
    WriteLong(nanos);
  }

  static std::string_view TextOf(const Source& source, int64_t i) {
    return {reinterpret_cast<const char*>(source.text) + source.offsets[i],
            static_cast<size_t>(source.offsets[i + 1] - source.offsets[i])};
  }

  void WriteBytes(std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(to_, bytes.data(), bytes.size());
    to_ += bytes.size();
  }

  // Values that are encoded differently from their text.
  void WriteFromText(const Source& source, int64_t i) {
    const EncodeOp& op = *source.op;
    const std::string_view text = TextOf(source, i);
    std::optional<std::string> bytes;
    switch (source.code) {
      case EncodeCode::kEnum: {
        const auto symbol = op.symbols.find(text);
        if (symbol != op.symbols.end()) return WriteLong(symbol->second);
        return Refuse(source, "holds \"", text, "\" in row ", row_, ", not a symbol of its enum");
      }
      case EncodeCode::kFixed:
        if (static_cast<int64_t>(text.size()) == op.size) return WriteBytes(text);
        return Refuse(source, "holds ", text.size(), " bytes in row ", row_, "; its Avro type has ",
                      op.size);
      case EncodeCode::kDecimalText:
        bytes = ParseDecimal(text, op.precision, op.scale);
        if (bytes) return WriteDecimal(source, *bytes);
        break;
      case EncodeCode::kUuid:
        bytes = ParseUuid(text);
        break;
      default:
        bytes = ParseDuration(text);
    }
    if (bytes) return WriteBytes(*bytes);
    Refuse(source, "holds \"", text, "\" in row ", row_, ", which its Avro type cannot express");
  }

  void WriteDecimal(const Source& source, const std::string& bytes) {
    const int64_t size = source.op->size;
    if (size < 0) {
      WriteLong(static_cast<int64_t>(bytes.size()));
      return WriteBytes(bytes);
    }
    if (static_cast<int64_t>(bytes.size()) > size) {
      return Refuse(source, "holds a decimal of ", bytes.size(), " bytes in row ", row_,
                    "; its Avro fixed has ", size);
    }
    const bool is_negative = (static_cast<uint8_t>(bytes.front()) & 0x80) != 0;
    const auto fill = static_cast<size_t>(size) - bytes.size();
    std::memset(to_, is_negative ? 0xFF : 0, fill);
    to_ += fill;
    WriteBytes(bytes);
  }

  void WriteMember(const Source& source, int64_t place) {
    const Source* chosen = nullptr;
    for (const Source& member : source.inner) {
      const bool is_null = member.validity != nullptr &&
                           !arrow::bit_util::GetBit(member.validity, member.first + place);
      if (is_null) continue;
      if (chosen != nullptr) {
        return Refuse(source, "has two values in row ", row_, "; a union holds one");
      }
      chosen = &member;
    }
    if (chosen != nullptr) {
      to_ = WriteValue(*chosen, place, to_);
      return;
    }
    Refuse(source, "has no value in row ", row_, ", and is not null; a union holds one");
  }

  void WriteItems(const Source& source, int64_t i) {
    const int64_t begin = source.offsets[i];
    const int64_t end = source.offsets[i + 1];
    if (end > begin) WriteLong(end - begin);
    for (int64_t item = begin; item < end; ++item) {
      for (const Source& inner : source.inner) to_ = WriteValue(inner, item, to_);
    }
    *to_++ = 0;
  }

  const std::vector<Source>& sources_;
  uint8_t* to_;
  int64_t row_ = 0;
  Status status_;
};

}  // namespace

Result<Encoder> Encoder::Compile(const arrow::Schema& columns, const Schema& writer) {
  ARROW_ASSIGN_OR_RAISE(std::vector<EncodeOp> ops, CompileEncodeOps(columns, writer));
  Encoder encoder;
  encoder.ops_ = std::make_shared<const std::vector<EncodeOp>>(std::move(ops));
  encoder.columns_ = std::make_shared<const arrow::Schema>(columns);
  return encoder;
}

Status Encoder::Encode(const arrow::RecordBatch& rows, std::span<const uint8_t> prefix,
                       EncodedRows* out) const {
  std::vector<Source> sources;
  sources.reserve(ops_->size());
  int64_t bytes = kCopySlack + rows.num_rows() * static_cast<int64_t>(prefix.size());
  for (const EncodeOp& op : *ops_) {
    const arrow::ArrayData* array = nullptr;
    if (op.column >= 0) {
      const arrow::DataType& type = *columns_->field(op.column)->type();
      if (op.column >= rows.num_columns() || !rows.column_data(op.column)->type->Equals(type)) {
        return Status::Invalid(op.name,
                               " is of another type in these rows: ", rows.schema()->ToString());
      }
      array = rows.column_data(op.column).get();
    }
    sources.push_back(Bind(op, array));
    bytes += MostBytes(sources.back(), 0, rows.num_rows());
  }
  out->bytes.resize(bytes);
  out->offsets.resize(rows.num_rows() + 1);
  out->offsets[0] = 0;
  RowWriter writer(sources, out->bytes.data());
  for (int64_t row = 0; row < rows.num_rows(); ++row) {
    out->offsets[row + 1] = writer.WriteRow(row, prefix) - out->bytes.data();
  }
  out->bytes.resize(out->offsets.back());
  return writer.status();
}

}  // namespace shopstream::avro
