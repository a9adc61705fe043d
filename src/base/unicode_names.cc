#include "base/unicode_names.h"

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/format.h"
#include "base/unicode_table.h"

namespace shopstream {
namespace {

constexpr uint32_t kEndOfPlane = 0x10000;

struct Character {
  uint32_t code = 0;
  size_t bytes = 1;
  bool valid = false;
};

// Reads one character of up to 3 bytes. Longer ones, which no name may contain, are not valid here.
Character ReadCharacter(std::string_view text) {
  const auto byte = [&](size_t i) -> uint32_t { return static_cast<uint8_t>(text[i]); };
  const auto continues = [&](size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  if ((lead & 0xE0) == 0xC0 && continues(1)) {
    const uint32_t code = (lead & 0x1F) << 6 | (byte(1) & 0x3F);
    return {code, 2, code >= 0x80};
  }
  if ((lead & 0xF0) == 0xE0 && continues(1) && continues(2)) {
    const uint32_t code = (lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    return {code, 3, code >= 0x800};
  }
  return {};
}

bool IsInRanges(std::span<const CodeRange> ranges, uint32_t code) {
  const auto after = std::ranges::upper_bound(ranges, code, {}, &CodeRange::first);
  return after != ranges.begin() && code <= (after - 1)->last;
}

bool MayStart(uint32_t code) { return code == '_' || IsInRanges(kLetters, code); }

uint32_t Lower(uint32_t code) {
  if (code >= 'A' && code <= 'Z') return code + ('a' - 'A');
  for (const LowerRange& range : kLower) {
    if (range.first > code) break;
    if (code > range.last || (code - range.first) % range.step != 0) continue;
    return static_cast<uint32_t>(static_cast<int32_t>(code) + range.distance);
  }
  return code;
}

}  // namespace

bool IsSimpleName(std::string_view utf8) {
  if (utf8.empty()) return false;
  bool first = true;
  while (!utf8.empty()) {
    const Character next = ReadCharacter(utf8);
    if (!next.valid || next.code >= kEndOfPlane) return false;
    if (!MayStart(next.code) && (first || !IsInRanges(kDigits, next.code))) return false;
    first = false;
    utf8.remove_prefix(next.bytes);
  }
  return true;
}

std::string FoldCase(std::string_view utf8) {
  std::string folded;
  folded.reserve(utf8.size());
  while (!utf8.empty()) {
    const Character next = ReadCharacter(utf8);
    if (next.valid) {
      AppendUtf8(Lower(next.code), &folded);
    } else {
      folded.push_back(utf8.front());
    }
    utf8.remove_prefix(next.bytes);
  }
  return folded;
}

}  // namespace shopstream
