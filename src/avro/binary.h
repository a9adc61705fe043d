#pragma once
// Avro's binary encoding (1.12, "Binary Encoding"), the parts that decoder and encoder share:
//
//   int, long  = zig-zag, then 7 bits per byte, lowest first; a high bit means that more follow
//   string     = long (bytes that follow) UTF-8;  bytes = long (bytes that follow) bytes
//   float, double = 4, 8 bytes, little endian;  boolean = 0x00 | 0x01
//   union      = long (number of the branch) value
//   record     = the fields in the order of the schema

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace shopstream::avro {

static_assert(std::endian::native == std::endian::little, "words are read as they lie in memory");

inline constexpr int64_t kMaxIntBytes = 5;
inline constexpr int64_t kMaxLongBytes = 10;
// CopyText may write this many bytes beyond the text.
inline constexpr int64_t kCopySlack = 16;

inline constexpr uint64_t kHighBits = 0x8080808080808080;

inline int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>((value >> 1) ^ (~(value & 1) + 1));
}
inline uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}

inline uint64_t LoadWord(const uint8_t* from) {
  uint64_t word;
  std::memcpy(&word, from, sizeof(word));
  return word;
}

// Joins the low 7 bits of each of 8 bytes; and the inverse.
inline uint64_t GatherGroups(uint64_t x) {
  x &= ~kHighBits;
  x = (x & 0x007f007f007f007f) | ((x & 0x7f007f007f007f00) >> 1);
  x = (x & 0x00003fff00003fff) | ((x & 0x3fff00003fff0000) >> 2);
  return (x & 0x000000000fffffff) | ((x & 0x0fffffff00000000) >> 4);
}
inline uint64_t SpreadGroups(uint64_t x) {
  x = (x & 0x000000000fffffff) | ((x & 0x00fffffff0000000) << 4);
  x = (x & 0x00003fff00003fff) | ((x & 0x0fffc0000fffc000) << 2);
  return (x & 0x007f007f007f007f) | ((x & 0x3f803f803f803f80) << 1);
}

// Writes at most kMaxLongBytes, but may touch 8 bytes even if fewer count; returns the end.
inline uint8_t* PutVarint(uint64_t value, uint8_t* to) {
  if (value < 0x80) {
    *to = static_cast<uint8_t>(value);
    return to + 1;
  }
  if (value < uint64_t{1} << 56) {
    const int bytes = (std::bit_width(value) + 6) / 7;
    const uint64_t more = kHighBits & ((uint64_t{1} << (8 * (bytes - 1))) - 1);
    const uint64_t word = SpreadGroups(value) | more;
    std::memcpy(to, &word, sizeof(word));
    return to + bytes;
  }
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<uint8_t>(value | 0x80);
  *to = static_cast<uint8_t>(value);
  return to + 1;
}

// The first `bytes` (0 to 8) of `word`.
inline uint64_t FirstBytes(uint64_t word, size_t bytes) {
  return bytes >= 8 ? word : word & ((uint64_t{1} << (8 * bytes)) - 1);
}

// Copies `size` bytes, of which `readable` (at least `size`) are in readable memory; may write up
// to kCopySlack more. Returns a word with a high bit set if the text is not ASCII.
inline uint64_t CopyText(const uint8_t* from, size_t size, size_t readable, uint8_t* to) {
  uint64_t high = 0;
  if (readable - size >= 16) [[likely]] {
    size_t left = size;
    for (; left >= 16; left -= 16, from += 16, to += 16) {
      high |= LoadWord(from) | LoadWord(from + 8);
      std::memcpy(to, from, 16);
    }
    const uint64_t low_word = LoadWord(from);
    const uint64_t high_word = LoadWord(from + 8);
    std::memcpy(to, from, 16);
    high |= FirstBytes(low_word, left);
    if (left > 8) high |= FirstBytes(high_word, left - 8);
    return high & kHighBits;
  }
  // Near the end: use overlapping words instead.
  if (size >= 8) {
    for (size_t i = 0; i + 8 < size; i += 8) {
      high |= LoadWord(from + i);
      std::memcpy(to + i, from + i, 8);
    }
    high |= LoadWord(from + size - 8);
    std::memcpy(to + size - 8, from + size - 8, 8);
    return high & kHighBits;
  }
  for (size_t i = 0; i < size; ++i) {
    high |= from[i];
    to[i] = from[i];
  }
  return high & kHighBits;
}

}  // namespace shopstream::avro
