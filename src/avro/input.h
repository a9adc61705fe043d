#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>

#include "avro/binary.h"
#include "avro/decode_result.h"

namespace shopstream::avro {

// The rest of one body. Reads check the end before they touch a byte. Forced inline: the compiler
// would not inline functions with so many callers, which costs a tenth of the speed.
struct Input {
  const uint8_t* begin;
  const uint8_t* next;
  const uint8_t* end;

  size_t left() const { return static_cast<size_t>(end - next); }

  // The next 8 bytes, with zeros past the end. At least one must be left.
  uint64_t Peek() const {
    if (left() >= 8) [[likely]]
      return LoadWord(next);
    if (end - begin >= 8) return LoadWord(end - 8) >> (8 * (8 - left()));
    uint64_t word = 0;
    std::memcpy(&word, next, left());
    return word;
  }

  [[gnu::always_inline]] DecodeResult Varint(size_t longest, uint64_t* value) {
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

  // More than 8 bytes: few values are that large. Works on its own copies, so that the members may
  // stay in registers.
  DecodeResult LongVarint(size_t longest, uint64_t* value) {
    size_t bytes = 0;
    uint64_t sum = 0;
    const DecodeResult result = ReadLongVarint({next, left()}, longest, &sum, &bytes);
    next += bytes;
    *value = sum;
    return result;
  }

  [[gnu::noinline]] static DecodeResult ReadLongVarint(std::span<const uint8_t> from,
                                                       size_t longest, uint64_t* value,
                                                       size_t* bytes) {
    for (size_t i = 0; i < longest; ++i) {
      if (i >= from.size()) return DecodeResult::kTruncated;
      const uint64_t group = from[i] & 0x7F;
      if (i == kMaxLongBytes - 1 && group > 1) return DecodeResult::kBadVarint;
      *value |= group << (7 * i);
      if (from[i] < 0x80) {
        *bytes = i + 1;
        return DecodeResult::kRow;
      }
    }
    return DecodeResult::kBadVarint;
  }

  [[gnu::always_inline]] DecodeResult Long(int64_t* value) {
    uint64_t raw;
    const DecodeResult result = Varint(kMaxLongBytes, &raw);
    if (result == DecodeResult::kRow) *value = UnZigZag(raw);
    return result;
  }

  [[gnu::always_inline]] DecodeResult Int(int64_t* value) {
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

  [[gnu::always_inline]] DecodeResult Length(size_t* size) {
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

  DecodeResult Branch(size_t branches, size_t* branch) {
    int64_t number;
    const DecodeResult result = Long(&number);
    if (result != DecodeResult::kRow) return result;
    *branch = static_cast<size_t>(number);
    return *branch < branches ? DecodeResult::kRow : DecodeResult::kBadLength;
  }

  // The head of a block of an array or a map: the number of items, and their size if it is given.
  DecodeResult Block(uint64_t* items, std::optional<uint64_t>* bytes) {
    int64_t count;
    DecodeResult result = Long(&count);
    if (result != DecodeResult::kRow) return result;
    *items = static_cast<uint64_t>(count);
    if (count >= 0) return result;
    *items = 0 - *items;
    int64_t size;
    result = Long(&size);
    if (result != DecodeResult::kRow) return result;
    if (size < 0) return DecodeResult::kBadLength;
    if (static_cast<uint64_t>(size) > left()) return DecodeResult::kTruncated;
    *bytes = static_cast<uint64_t>(size);
    return DecodeResult::kRow;
  }
};

}  // namespace shopstream::avro
