#include "avro/decoder.h"

#include <arrow/util/bit_util.h>
#include <arrow/util/logging.h>
#include <arrow/util/utf8.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "avro/binary.h"
#include "avro/decode_program.h"

namespace shopstream::avro {
namespace {

constexpr int64_t kMicrosPerMilli = 1000;

// What is left of one body. Reads check the end before they touch a byte.
struct Input {
  const uint8_t* begin;
  const uint8_t* next;
  const uint8_t* end;

  size_t left() const { return static_cast<size_t>(end - next); }

  // The next 8 bytes, zeros behind the end. Some are left.
  uint64_t Peek() const {
    if (left() >= 8) [[likely]]
      return LoadWord(next);
    if (end - begin >= 8) return LoadWord(end - 8) >> (8 * (8 - left()));
    uint64_t word = 0;
    std::memcpy(&word, next, left());
    return word;
  }

  DecodeResult Varint(size_t longest, uint64_t* value) {
    if (next == end) return DecodeResult::kTruncated;
    if (*next < 0x80) [[likely]] {
      *value = *next++;
      return DecodeResult::kRow;
    }
    const uint64_t word = Peek();
    const uint64_t stops = ~word & kHighBits;
    if (stops == 0) return LongVarint(longest, value);
    const size_t bytes = static_cast<size_t>(std::countr_zero(stops)) / 8 + 1;
    if (bytes > left() && left() < longest) return DecodeResult::kTruncated;
    if (bytes > longest) return DecodeResult::kBadVarint;
    *value = GatherGroups(FirstBytes(word, bytes));
    next += bytes;
    return DecodeResult::kRow;
  }

  // More than 8 bytes: few values are that large.
  [[gnu::noinline]] DecodeResult LongVarint(size_t longest, uint64_t* value) {
    uint64_t sum = 0;
    for (size_t i = 0; i < longest; ++i) {
      if (i >= left()) return DecodeResult::kTruncated;
      const uint64_t group = next[i] & 0x7F;
      if (i == kMaxLongBytes - 1 && group > 1) return DecodeResult::kBadVarint;
      sum |= group << (7 * i);
      if (next[i] < 0x80) {
        *value = sum;
        next += i + 1;
        return DecodeResult::kRow;
      }
    }
    return DecodeResult::kBadVarint;
  }

  DecodeResult Long(int64_t* value) {
    uint64_t raw;
    const DecodeResult result = Varint(kMaxLongBytes, &raw);
    if (result == DecodeResult::kRow) *value = UnZigZag(raw);
    return result;
  }

  DecodeResult Int(int64_t* value) {
    uint64_t raw;
    const DecodeResult result = Varint(kMaxIntBytes, &raw);
    if (result != DecodeResult::kRow) return result;
    if (raw > std::numeric_limits<uint32_t>::max()) return DecodeResult::kBadVarint;
    *value = UnZigZag(raw);
    return DecodeResult::kRow;
  }

  template <typename T>
  DecodeResult Fixed(T* value) {
    if (left() < sizeof(T)) return DecodeResult::kTruncated;
    std::memcpy(value, next, sizeof(T));
    next += sizeof(T);
    return DecodeResult::kRow;
  }

  DecodeResult Boolean(bool* value) {
    if (next == end) return DecodeResult::kTruncated;
    if (*next > 1) return DecodeResult::kBadBoolean;
    *value = *next++ == 1;
    return DecodeResult::kRow;
  }

  DecodeResult Length(size_t* size) {
    uint64_t raw;
    const DecodeResult result = Varint(kMaxLongBytes, &raw);
    if (result != DecodeResult::kRow) return result;
    const uint64_t bytes = raw >> 1;
    if ((raw & 1) != 0 || bytes > std::numeric_limits<int32_t>::max()) [[unlikely]] {
      return DecodeResult::kBadLength;
    }
    if (bytes > left()) [[unlikely]]
      return DecodeResult::kTruncated;
    *size = bytes;
    return DecodeResult::kRow;
  }

  DecodeResult Skip(uint64_t bytes) {
    if (bytes > left()) return DecodeResult::kTruncated;
    next += bytes;
    return DecodeResult::kRow;
  }

  // The branch of a union of two.
  DecodeResult Branch(int64_t* branch) {
    const DecodeResult result = Long(branch);
    if (result != DecodeResult::kRow) return result;
    return *branch == 0 || *branch == 1 ? DecodeResult::kRow : DecodeResult::kBadLength;
  }
};

}  // namespace

const char* Describe(DecodeResult result) {
  switch (result) {
    case DecodeResult::kRow:
      return "decoded";
    case DecodeResult::kTruncated:
      return "the bytes end inside a value";
    case DecodeResult::kTrailing:
      return "bytes are left over after the record";
    case DecodeResult::kBadLength:
      return "a length or union branch is negative or impossible";
    case DecodeResult::kBadVarint:
      return "an integer is longer than its type allows";
    case DecodeResult::kBadBoolean:
      return "a boolean is neither 0 nor 1";
    case DecodeResult::kInvalidUtf8:
      return "a string is not valid UTF-8";
    case DecodeResult::kOutOfRange:
      return "a timestamp is beyond the years that microseconds can hold";
    case DecodeResult::kUnexpectedNull:
      return "a null stands where the reader's schema allows none";
    case DecodeResult::kColumnsFull:
      return "the columns can take no more text, or memory is exhausted";
  }
  return "unknown";
}

// Runs a program over one body. Everything it writes lies behind the last row, so a row that fails
// half-way leaves no trace.
class Decoder::Run {
 public:
  Run(std::span<const uint8_t> body, Columns* out)
      : in_{body.data(), body.data(), body.data() + body.size()},
        columns_(out->columns_.data()),
        out_(out),
        row_(out->rows_) {}

  DecodeResult Decode(const std::vector<DecodeOp>& ops) {
    const DecodeOp* const end = ops.data() + ops.size();
    for (const DecodeOp* op = ops.data(); op != end; ++op) {
      const DecodeResult result = Step(&op);
      if (result != DecodeResult::kRow) [[unlikely]]
        return result;
    }
    return in_.next == in_.end ? DecodeResult::kRow : DecodeResult::kTrailing;
  }

 private:
  using Column = Columns::Column;

  [[gnu::always_inline]] DecodeResult Step(const DecodeOp** position) {
    const DecodeOp& op = **position;
    switch (op.code) {
      case DecodeCode::kInt:
        return Integer(op, &Input::Int, [](int64_t v) { return v; });
      case DecodeCode::kLong:
        return Integer(op, &Input::Long, [](int64_t v) { return v; });
      case DecodeCode::kIntAsFloat:
        return Integer(op, &Input::Int, [](int64_t v) { return double{static_cast<float>(v)}; });
      case DecodeCode::kLongAsFloat:
        return Integer(op, &Input::Long, [](int64_t v) { return double{static_cast<float>(v)}; });
      case DecodeCode::kIntAsDouble:
        return Integer(op, &Input::Int, [](int64_t v) { return static_cast<double>(v); });
      case DecodeCode::kLongAsDouble:
        return Integer(op, &Input::Long, [](int64_t v) { return static_cast<double>(v); });
      case DecodeCode::kIntAsMillis:
        return Integer(op, &Input::Int, [](int64_t v) { return v * kMicrosPerMilli; });
      case DecodeCode::kLongAsMillis:
        return Millis(op);
      case DecodeCode::kFloat:
        return Floating<float>(op);
      case DecodeCode::kDouble:
        return Floating<double>(op);
      case DecodeCode::kBoolean:
        return Boolean(op);
      case DecodeCode::kString:
        return Text(op, /*check=*/true);
      case DecodeCode::kBytes:
        return Text(op, /*check=*/false);
      case DecodeCode::kNullable:
        return Nullable(position);
      case DecodeCode::kNotNull:
        return NotNull(op);
      case DecodeCode::kMarkValid:
        return MarkValid(op);
      case DecodeCode::kConstant:
        return Constant(op);
      case DecodeCode::kNull:
        return Null(op);
      default:
        return Skip(position);
    }
  }

  Column& column(const DecodeOp& op) { return columns_[op.column]; }

  template <typename Read, typename Convert>
  [[gnu::always_inline]] DecodeResult Integer(const DecodeOp& op, Read read, Convert convert) {
    int64_t value;
    const DecodeResult result = (in_.*read)(&value);
    if (result == DecodeResult::kRow) StoreAt(column(op).values, row_, convert(value));
    return result;
  }

  [[gnu::always_inline]] DecodeResult Millis(const DecodeOp& op) {
    int64_t millis;
    const DecodeResult result = in_.Long(&millis);
    if (result != DecodeResult::kRow) return result;
    int64_t micros;
    if (__builtin_mul_overflow(millis, kMicrosPerMilli, &micros)) return DecodeResult::kOutOfRange;
    StoreAt(column(op).values, row_, micros);
    return DecodeResult::kRow;
  }

  template <typename T>
  [[gnu::always_inline]] DecodeResult Floating(const DecodeOp& op) {
    T value;
    const DecodeResult result = in_.Fixed(&value);
    if (result == DecodeResult::kRow) StoreAt(column(op).values, row_, double{value});
    return result;
  }

  DecodeResult Boolean(const DecodeOp& op) {
    bool value;
    const DecodeResult result = in_.Boolean(&value);
    if (result == DecodeResult::kRow) arrow::bit_util::SetBitTo(column(op).values, row_, value);
    return result;
  }

  [[gnu::always_inline]] DecodeResult Text(const DecodeOp& op, bool check) {
    size_t size;
    const DecodeResult result = in_.Length(&size);
    if (result != DecodeResult::kRow) [[unlikely]]
      return result;
    Column& target = column(op);
    const int32_t begin = target.offsets[row_];
    const uint64_t high = CopyText(in_.next, size, in_.left(), target.data + begin);
    if (check && high != 0 && !arrow::util::ValidateUTF8(in_.next, static_cast<int64_t>(size))) {
      return DecodeResult::kInvalidUtf8;
    }
    target.offsets[row_ + 1] = begin + static_cast<int32_t>(size);
    in_.next += size;
    return DecodeResult::kRow;
  }

  // The value's op and kMarkValid follow; a null steps over both.
  DecodeResult Nullable(const DecodeOp** position) {
    const DecodeOp& op = **position;
    int64_t branch;
    const DecodeResult result = in_.Branch(&branch);
    if (result != DecodeResult::kRow || branch != op.null_branch) return result;
    *position += 2;
    return Null(op);
  }

  DecodeResult NotNull(const DecodeOp& op) {
    int64_t branch;
    const DecodeResult result = in_.Branch(&branch);
    if (result != DecodeResult::kRow) return result;
    return branch == op.null_branch ? DecodeResult::kUnexpectedNull : DecodeResult::kRow;
  }

  DecodeResult MarkValid(const DecodeOp& op) {
    uint8_t* validity = column(op).validity;
    if (validity != nullptr) arrow::bit_util::SetBit(validity, row_);
    return DecodeResult::kRow;
  }

  DecodeResult Null(const DecodeOp& op) {
    if (column(op).validity == nullptr &&
        !out_->GrowValidity(out_->row_capacity_, &column(op)).ok()) {
      return DecodeResult::kColumnsFull;
    }
    Columns::PutNull(&column(op), row_);
    return DecodeResult::kRow;
  }

  DecodeResult Constant(const DecodeOp& op) {
    Column& target = column(op);
    if (target.layout == Layout::kText) {
      const int32_t begin = target.offsets[row_];
      std::memcpy(target.data + begin, op.text.data(), op.text.size());
      target.offsets[row_ + 1] = begin + static_cast<int32_t>(op.text.size());
    } else if (target.layout == Layout::kBool) {
      arrow::bit_util::SetBitTo(target.values, row_, op.number != 0);
    } else {
      StoreAt(target.values, row_, op.number);
    }
    return DecodeResult::kRow;
  }

  // Values that are checked as far as the next one's place depends on them.
  DecodeResult Skip(const DecodeOp** position) {
    const DecodeOp& op = **position;
    int64_t ignored;
    bool flag;
    size_t size;
    DecodeResult result;
    switch (op.code) {
      case DecodeCode::kSkipInt:
        return in_.Int(&ignored);
      case DecodeCode::kSkipLong:
        return in_.Long(&ignored);
      case DecodeCode::kSkipBoolean:
        return in_.Boolean(&flag);
      case DecodeCode::kSkipFixed:
        return in_.Skip(static_cast<uint64_t>(op.number));
      case DecodeCode::kSkipNullable:
        result = in_.Branch(&ignored);
        if (result == DecodeResult::kRow && ignored == op.null_branch) ++*position;
        return result;
      default:
        result = in_.Length(&size);
        return result == DecodeResult::kRow ? in_.Skip(size) : result;
    }
  }

  Input in_;
  Column* columns_;
  Columns* out_;
  int64_t row_;
};

Result<Decoder> Decoder::Compile(const Schema& writer, const Schema& reader) {
  ARROW_ASSIGN_OR_RAISE(DecodeProgram program, DecodeProgram::Compile(writer, reader));
  arrow::util::InitializeUTF8();
  Decoder decoder;
  decoder.longest_text_ = program.longest_text;
  decoder.shape_ = program.shape;
  decoder.ops_ = std::make_shared<const std::vector<DecodeOp>>(std::move(program.ops));
  return decoder;
}

DecodeResult Decoder::Decode(std::span<const uint8_t> body, Columns* out) const {
  ARROW_CHECK_EQ(out->shape_, shape_) << "columns of another schema than the decoder's";
  const auto size = static_cast<int64_t>(body.size());
  if (!out->Reserve(std::max(size, longest_text_))) [[unlikely]] {
    return size > out->max_text_ ? DecodeResult::kBadLength : DecodeResult::kColumnsFull;
  }
  const DecodeResult result = Run(body, out).Decode(*ops_);
  if (result == DecodeResult::kRow) ++out->rows_;
  return result;
}

}  // namespace shopstream::avro
