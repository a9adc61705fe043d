#pragma once
// Part of decoder.cc, the only file that includes it.

#include <arrow/util/bit_util.h>
#include <arrow/util/utf8.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "avro/binary.h"
#include "avro/calendar_bounds.h"
#include "avro/decode_place.h"
#include "avro/decode_program.h"
#include "avro/decoder.h"
#include "avro/input.h"
#include "avro/logical_text.h"
#include "avro/wide_decimal.h"

namespace shopstream::avro {

// Runs a program over one body. It writes only after the last row, so a row that fails halfway
// leaves no trace.
class Decoder::Run {
 public:
  Run(const DecodeProgram& program, std::span<const uint8_t> body, Columns* out)
      : at_{{body.data(), body.data(), body.data() + body.size()},
            out->columns_.data(),
            out->rows_},
        out_(out),
        program_(program) {}

  DecodeResult Decode() {
    const DecodeOp* const ops = program_.ops.data();
    const DecodeResult result = Ops</*kInList=*/false>(ops, ops + program_.ops.size());
    if (result != DecodeResult::kRow) [[unlikely]]
      return result;
    return at_.next == at_.end ? DecodeResult::kRow : DecodeResult::kTrailing;
  }

  // Whether the default can be stored.
  DecodeResult TryDefault(const DecodeOp& op) {
    if (!out_->Reserve(0)) return DecodeResult::kColumnsFull;
    for (int32_t list = at_.column(op).list; list >= 0; list = at_.columns[list].list) {
      if (!out_->GrowItems(list, 1).ok()) return DecodeResult::kColumnsFull;
    }
    return Inner</*kInList=*/true>(&op, &op + 1 + op.length);
  }

  // The place of the failure.
  std::string Place() const {
    if (failed_ == nullptr) return "";
    return FillItems(program_.places[failed_ - program_.ops.data()], items_);
  }

 private:
  using Column = Columns::Column;

  // The read position and the row to write.
  struct Cursor : Input {
    Column* columns;
    int64_t row;  // Inside lists, the item.

    Column& column(const DecodeOp& op) const { return columns[op.column]; }
  };

  // Outside lists every column has room for a row; inside lists each item makes its own room.
  // Common ops work on a copy of the cursor, which the compiler keeps in registers.
  template <bool kInList>
  [[gnu::always_inline]] DecodeResult Ops(const DecodeOp* op, const DecodeOp* end) {
    Cursor at = at_;
    for (; op != end; ++op) {
      const DecodeResult result = Step<kInList>(&op, &at);
      if (result != DecodeResult::kRow) [[unlikely]] {
        if (failed_ == nullptr) failed_ = op;
        return result;
      }
    }
    at_ = at;
    return DecodeResult::kRow;
  }

  // Runs the ops that belong to another op.
  template <bool kInList>
  [[gnu::noinline]] DecodeResult Inner(const DecodeOp* op, const DecodeOp* end) {
    return Ops<kInList>(op, end);
  }

  template <bool kInList>
  [[gnu::always_inline]] DecodeResult Step(const DecodeOp** position, Cursor* at) {
    const DecodeOp& op = **position;
    switch (op.code) {
      case DecodeCode::kInt:
        return Integer(op, at, &Input::Int, [](int64_t v) { return v; });
      case DecodeCode::kLong:
        return Integer(op, at, &Input::Long, [](int64_t v) { return v; });
      case DecodeCode::kIntAsFloat:
        return Integer(op, at, &Input::Int,
                       [](int64_t v) { return double{static_cast<float>(v)}; });
      case DecodeCode::kLongAsFloat:
        return Integer(op, at, &Input::Long,
                       [](int64_t v) { return double{static_cast<float>(v)}; });
      case DecodeCode::kIntAsDouble:
        return Integer(op, at, &Input::Int, [](int64_t v) { return static_cast<double>(v); });
      case DecodeCode::kLongAsDouble:
        return Integer(op, at, &Input::Long, [](int64_t v) { return static_cast<double>(v); });
      case DecodeCode::kIntAsMillis:
        return Integer(op, at, &Input::Int, [](int64_t v) { return v * kMicrosPerMilli; });
      case DecodeCode::kLongAsMillis:
        return Dated<kFirstMillis, kLastMillis>(op, at, &Input::Long,
                                                [](int64_t v) { return v * kMicrosPerMilli; });
      case DecodeCode::kLongAsMicros:
        return Dated<kFirstMicros, kLastMicros>(op, at, &Input::Long, [](int64_t v) { return v; });
      case DecodeCode::kFloat:
        return Floating<float>(op, at);
      case DecodeCode::kDouble:
        return Floating<double>(op, at);
      case DecodeCode::kBoolean:
        return Boolean(op, at);
      case DecodeCode::kString:
        return Text<kInList>(op, at, /*check=*/true);
      case DecodeCode::kBytes:
        return Text<kInList>(op, at, /*check=*/false);
      case DecodeCode::kNullable:
        return Nullable(position, at);
      case DecodeCode::kMarkValid:
        return MarkValid(op, *at);
      default: {
        at_ = *at;
        const DecodeOp* rare = *position;
        const DecodeResult result = Rare<kInList>(&rare);
        *at = at_;
        if (result == DecodeResult::kRow) *position = rare;
        return result;
      }
    }
  }

  template <bool kInList>
  [[gnu::noinline]] DecodeResult Rare(const DecodeOp** position) {
    const DecodeOp& op = **position;
    switch (op.code) {
      case DecodeCode::kIntAsNanos:
        return Integer(op, &at_, &Input::Int, FloorMicros);
      case DecodeCode::kLongAsNanos:
        return Integer(op, &at_, &Input::Long, FloorMicros);
      case DecodeCode::kDate:
        return Dated<kFirstDay, kLastDay>(op, &at_, &Input::Int,
                                          [](int64_t v) { return static_cast<int32_t>(v); });
      case DecodeCode::kFixed:
      case DecodeCode::kUuid:
      case DecodeCode::kDuration:
        return Fixed<kInList>(op);
      case DecodeCode::kEnum:
        return Enum<kInList>(op);
      case DecodeCode::kDecimal:
      case DecodeCode::kDecimalText:
      case DecodeCode::kDecimalDouble:
        return Decimal<kInList>(op);
      case DecodeCode::kUnion:
      case DecodeCode::kSkipUnion:
        return Union<kInList>(position);
      case DecodeCode::kArray:
      case DecodeCode::kMap:
        *position += op.length;
        return Items(op);
      case DecodeCode::kDefault:
        return Default<kInList>(position);
      case DecodeCode::kNotNull:
        return NotNull(op);
      case DecodeCode::kRefuseNull:
        return DecodeResult::kUnexpectedNull;
      case DecodeCode::kNull:
        return Null(op, at_.row);
      case DecodeCode::kNullMembers:
        return Stored(out_->PutNullMembers(op.column, at_.row));
      default:
        return Skip(position);
    }
  }

  static DecodeResult Stored(const Status& status) {
    return status.ok() ? DecodeResult::kRow : DecodeResult::kColumnsFull;
  }

  static int64_t FloorMicros(int64_t nanos) {
    return nanos / kNanosPerMicro - (nanos % kNanosPerMicro < 0 ? 1 : 0);
  }

  template <typename Read, typename Convert>
  [[gnu::always_inline]] DecodeResult Integer(const DecodeOp& op, Cursor* at, Read read,
                                              Convert convert) {
    int64_t value;
    const DecodeResult result = (at->*read)(&value);
    if (result == DecodeResult::kRow) StoreAt(at->column(op).values, at->row, convert(value));
    return result;
  }

  // A date or timestamp; the calendar limits its range.
  template <int64_t kFirst, int64_t kLast, typename Read, typename Convert>
  [[gnu::always_inline]] DecodeResult Dated(const DecodeOp& op, Cursor* at, Read read,
                                            Convert convert) {
    int64_t value;
    const DecodeResult result = (at->*read)(&value);
    if (result != DecodeResult::kRow) [[unlikely]]
      return result;
    if (value < kFirst || value > kLast) [[unlikely]]
      return DecodeResult::kOutOfRange;
    StoreAt(at->column(op).values, at->row, convert(value));
    return DecodeResult::kRow;
  }

  template <typename T>
  [[gnu::always_inline]] DecodeResult Floating(const DecodeOp& op, Cursor* at) {
    T value;
    const DecodeResult result = at->Fixed(&value);
    if (result == DecodeResult::kRow) StoreAt(at->column(op).values, at->row, double{value});
    return result;
  }

  [[gnu::always_inline]] DecodeResult Boolean(const DecodeOp& op, Cursor* at) {
    bool value;
    const DecodeResult result = at->Boolean(&value);
    if (result == DecodeResult::kRow)
      arrow::bit_util::SetBitTo(at->column(op).values, at->row, value);
    return result;
  }

  // Makes room for the text of a value inside a list.
  bool MakeRoom(size_t size, Column* target) {
    const int64_t end = int64_t{target->offsets[at_.row]} + static_cast<int64_t>(size);
    return (end <= target->data_capacity && target->data != nullptr) ||
           out_->GrowText(end, target).ok();
  }

  template <bool kInList>
  [[gnu::always_inline]] DecodeResult Text(const DecodeOp& op, Cursor* at, bool check) {
    size_t size;
    const DecodeResult result = at->Length(&size);
    if (result != DecodeResult::kRow) [[unlikely]]
      return result;
    Column& target = at->column(op);
    if constexpr (kInList) {
      if (!MakeRoom(size, &target)) return DecodeResult::kColumnsFull;
    }
    const int32_t begin = target.offsets[at->row];
    const uint64_t high = CopyText(at->next, size, at->left(), target.data + begin);
    if (check && high != 0 && !arrow::util::ValidateUTF8(at->next, static_cast<int64_t>(size))) {
      return DecodeResult::kInvalidUtf8;
    }
    target.offsets[at->row + 1] = begin + static_cast<int32_t>(size);
    at->next += size;
    return DecodeResult::kRow;
  }

  // Stores text that is not copied from the record.
  template <bool kInList>
  DecodeResult Put(const DecodeOp& op, std::string_view text) {
    Column& target = at_.column(op);
    if (kInList && !MakeRoom(text.size(), &target)) return DecodeResult::kColumnsFull;
    const int32_t begin = target.offsets[at_.row];
    if (!text.empty()) std::memcpy(target.data + begin, text.data(), text.size());
    target.offsets[at_.row + 1] = begin + static_cast<int32_t>(text.size());
    return DecodeResult::kRow;
  }

  template <bool kInList>
  DecodeResult Fixed(const DecodeOp& op) {
    const auto size = static_cast<size_t>(op.number);
    const std::span<const uint8_t> bytes(at_.next, size);
    const DecodeResult result = at_.Skip(size);
    if (result != DecodeResult::kRow) return result;
    if (op.code == DecodeCode::kUuid) return Put<kInList>(op, FormatUuid(bytes));
    if (op.code == DecodeCode::kDuration) return Put<kInList>(op, FormatDuration(bytes));
    return Put<kInList>(op, {reinterpret_cast<const char*>(bytes.data()), size});
  }

  template <bool kInList>
  DecodeResult Enum(const DecodeOp& op) {
    int64_t symbol;
    const DecodeResult result = at_.Int(&symbol);
    if (result != DecodeResult::kRow) return result;
    const auto& texts = program_.texts[op.table];
    if (static_cast<uint64_t>(symbol) >= texts.size()) return DecodeResult::kBadSymbol;
    return Put<kInList>(op, texts[symbol]);
  }

  template <bool kInList>
  DecodeResult Decimal(const DecodeOp& op) {
    auto size = static_cast<size_t>(op.number);
    if (op.number == kVariableSize) {
      const DecodeResult result = at_.Length(&size);
      if (result != DecodeResult::kRow) return result;
    }
    const std::span<const uint8_t> bytes(at_.next, size);
    const DecodeResult result = at_.Skip(size);
    if (result != DecodeResult::kRow) return result;
    const DecimalType& type = program_.decimals[op.table];
    if (op.code == DecodeCode::kDecimalText) {
      const auto text = FormatDecimal(bytes, type.precision, type.scale);
      return text ? Put<kInList>(op, *text) : DecodeResult::kBadDecimal;
    }
    uint8_t* const values = at_.column(op).values;
    return op.code == DecodeCode::kDecimal ? StoreDecimal(bytes, type, at_.row, values)
                                           : StoreNearestDouble(bytes, type, at_.row, values);
  }

  // A null skips the ops of the value.
  [[gnu::always_inline]] DecodeResult Nullable(const DecodeOp** position, Cursor* at) {
    const DecodeOp& op = **position;
    size_t branch;
    const DecodeResult result = at->Branch(2, &branch);
    if (result != DecodeResult::kRow || branch != op.null_branch) return result;
    *position += op.length;
    return Null(op, at->row);
  }

  [[gnu::noinline]] DecodeResult Null(const DecodeOp& op, int64_t row) {
    return Stored(out_->PutNulls(op.column, row));
  }

  DecodeResult NotNull(const DecodeOp& op) {
    size_t branch;
    const DecodeResult result = at_.Branch(2, &branch);
    if (result != DecodeResult::kRow) return result;
    return branch == op.null_branch ? DecodeResult::kUnexpectedNull : DecodeResult::kRow;
  }

  template <bool kInList>
  DecodeResult Union(const DecodeOp** position) {
    const DecodeOp* const first = *position + 1;
    const auto& branches = program_.branches[(*position)->table];
    *position += (*position)->length;
    size_t branch;
    const DecodeResult result = at_.Branch(branches.size(), &branch);
    if (result != DecodeResult::kRow) return result;
    return Inner<kInList>(first + branches[branch].begin, first + branches[branch].end);
  }

  static DecodeResult MarkValid(const DecodeOp& op, const Cursor& at) {
    uint8_t* validity = at.column(op).validity;
    if (validity != nullptr) arrow::bit_util::SetBit(validity, at.row);
    return DecodeResult::kRow;
  }

  template <bool kInList>
  DecodeResult Default(const DecodeOp** position) {
    const DecodeOp& op = **position;
    *position += op.length;
    const std::string& constant = program_.constants[op.table];
    const auto* bytes = reinterpret_cast<const uint8_t*>(constant.data());
    Input& input = at_;
    const Input record = std::exchange(input, {bytes, bytes, bytes + constant.size()});
    const DecodeResult result = Inner<kInList>(&op + 1, &op + 1 + op.length);
    input = record;
    return result;
  }

  // An array or a map, block by block. Its items begin where those of the previous value end.
  DecodeResult Items(const DecodeOp& op) {
    Column& list = at_.column(op);
    const int64_t row = at_.row;
    int64_t item = list.offsets[row];
    while (true) {
      uint64_t count;
      std::optional<uint64_t> bytes;
      DecodeResult result = at_.Block(&count, &bytes);
      if (result == DecodeResult::kRow) result = TakeItems(op, count);
      if (result != DecodeResult::kRow) return result;
      if (count == 0) break;
      const int64_t end = item + static_cast<int64_t>(count);
      if (!out_->GrowItems(op.column, end).ok()) return DecodeResult::kColumnsFull;
      for (; item < end; ++item) {
        at_.row = item;
        result = Item(op);
        if (result != DecodeResult::kRow) [[unlikely]] {
          items_ += kItemMark + NameItem(op, item, item - list.offsets[row]);
          return result;
        }
      }
    }
    at_.row = row;
    list.offsets[row + 1] = static_cast<int32_t>(item);
    return op.code == DecodeCode::kMap ? CheckKeys(op) : DecodeResult::kRow;
  }

  // Checks a block's demand against the bounds before any memory is allocated for it.
  DecodeResult TakeItems(const DecodeOp& op, uint64_t count) {
    const bool without_bytes = op.table == 1;
    if (without_bytes && count > empty_items_) return DecodeResult::kTooManyItems;
    if (!without_bytes && count > at_.left()) return DecodeResult::kTruncated;
    if (count > item_bytes_ / static_cast<uint64_t>(op.number)) return DecodeResult::kTooManyItems;
    if (without_bytes) empty_items_ -= count;
    item_bytes_ -= count * static_cast<uint64_t>(op.number);
    return DecodeResult::kRow;
  }

  DecodeResult Item(const DecodeOp& op) {
    if (op.code == DecodeCode::kMap) {
      DecodeOp key;
      key.column = op.column + 2;
      const DecodeResult result = Text</*kInList=*/true>(key, &at_, /*check=*/true);
      if (result != DecodeResult::kRow) return result;
    }
    return Inner</*kInList=*/true>(&op + 1, &op + 1 + op.length);
  }

  std::string_view Key(const DecodeOp& map, int64_t item) const {
    const Column& keys = at_.columns[map.column + 2];
    return {reinterpret_cast<const char*>(keys.data) + keys.offsets[item],
            static_cast<size_t>(keys.offsets[item + 1] - keys.offsets[item])};
  }

  std::string NameItem(const DecodeOp& op, int64_t item, int64_t number) const {
    if (op.code != DecodeCode::kMap || failed_ == nullptr) return NameOfItem(number);
    return NameOfItem(Key(op, item));
  }

  // Refuses duplicate keys: a reader of the column would find only one of the two values.
  DecodeResult CheckKeys(const DecodeOp& op) {
    const Column& map = at_.column(op);
    const int64_t begin = map.offsets[at_.row];
    const int64_t end = map.offsets[at_.row + 1];
    if (end - begin < 2) return DecodeResult::kRow;
    std::vector<std::string_view> keys;
    keys.reserve(end - begin);
    for (int64_t i = begin; i < end; ++i) keys.push_back(Key(op, i));
    std::ranges::sort(keys);
    return std::ranges::adjacent_find(keys) == keys.end() ? DecodeResult::kRow
                                                          : DecodeResult::kDuplicateKey;
  }

  // Skips a value, checking only what is needed to find the next one.
  DecodeResult Skip(const DecodeOp** position) {
    const DecodeOp& op = **position;
    int64_t ignored;
    bool flag;
    size_t size;
    DecodeResult result;
    switch (op.code) {
      case DecodeCode::kSkipInt:
        return at_.Int(&ignored);
      case DecodeCode::kSkipLong:
        return at_.Long(&ignored);
      case DecodeCode::kSkipBoolean:
        return at_.Boolean(&flag);
      case DecodeCode::kSkipFixed:
        return at_.Skip(static_cast<uint64_t>(op.number));
      case DecodeCode::kSkipNullable:
        result = at_.Branch(2, &size);
        if (result == DecodeResult::kRow && size == op.null_branch) *position += op.length;
        return result;
      case DecodeCode::kSkipBlocks:
        *position += op.length;
        return SkipBlocks(op);
      default:
        result = at_.Length(&size);
        return result == DecodeResult::kRow ? at_.Skip(size) : result;
    }
  }

  DecodeResult SkipBlocks(const DecodeOp& op) {
    while (true) {
      uint64_t count;
      std::optional<uint64_t> bytes;
      DecodeResult result = at_.Block(&count, &bytes);
      if (result != DecodeResult::kRow || count == 0) return result;
      if (bytes) {
        at_.next += *bytes;
        continue;
      }
      if (op.length == 0) continue;  // Items have no bytes.
      for (; count > 0; --count) {   // Each takes at least one byte.
        result = Inner</*kInList=*/true>(&op + 1, &op + 1 + op.length);
        if (result != DecodeResult::kRow) {
          items_ += kItemMark + std::string("[]");
          return result;
        }
      }
    }
  }

  Cursor at_;
  Columns* out_;
  const DecodeProgram& program_;
  uint64_t item_bytes_ = kMaxItemBytes;
  uint64_t empty_items_ = kMaxEmptyItems;
  const DecodeOp* failed_ = nullptr;
  std::string items_;  // Names around the failure, each after a kItemMark, innermost first.
};

}  // namespace shopstream::avro
