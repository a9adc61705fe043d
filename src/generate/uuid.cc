#include "generate/uuid.h"

#include <openssl/sha.h>

#include <array>
#include <cstring>
#include <vector>

#include "base/format.h"

namespace shopstream::generate {
namespace {

// Byte -> its two hexadecimal digits.
constexpr std::array<std::array<char, 2>, 256> MakeHexPairs() {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (int byte = 0; byte < 256; ++byte) pairs[byte] = {digits[byte >> 4], digits[byte & 15]};
  return pairs;
}
constexpr auto kHexPairs = MakeHexPairs();

// Writes the `count` bytes of `word` that start at byte `first`, counted from the left.
inline char* WriteHex(uint64_t word, int first, int count, char* out) {
  for (int i = first; i < first + count; ++i) {
    std::memcpy(out, kHexPairs[(word >> (56 - 8 * i)) & 0xff].data(), 2);
    out += 2;
  }
  return out;
}

bool IsHyphenPlace(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

void AppendBigEndian(uint64_t word, std::vector<unsigned char>* out) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out->push_back(static_cast<unsigned char>(word >> shift));
  }
}

uint64_t ReadBigEndian(const unsigned char* bytes) {
  uint64_t word = 0;
  for (int i = 0; i < 8; ++i) word = word << 8 | bytes[i];
  return word;
}

}  // namespace

Uuid MakeUuidV5(const Uuid& name_space, std::string_view name) {
  std::vector<unsigned char> input;
  input.reserve(16 + name.size());
  AppendBigEndian(name_space.high, &input);
  AppendBigEndian(name_space.low, &input);
  input.insert(input.end(), name.begin(), name.end());
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(input.data(), input.size(), digest);
  Uuid uuid{ReadBigEndian(digest), ReadBigEndian(digest + 8)};
  uuid.high = (uuid.high & ~0xf000ull) | 0x5000;
  uuid.low = (uuid.low & ~(0xc0ull << 56)) | (0x80ull << 56);
  return uuid;
}

void WriteUuid(const Uuid& uuid, char* out) {
  out = WriteHex(uuid.high, 0, 4, out);
  *out++ = '-';
  out = WriteHex(uuid.high, 4, 2, out);
  *out++ = '-';
  out = WriteHex(uuid.high, 6, 2, out);
  *out++ = '-';
  out = WriteHex(uuid.low, 0, 2, out);
  *out++ = '-';
  WriteHex(uuid.low, 2, 6, out);
}

std::string ToString(const Uuid& uuid) {
  std::string text(kUuidTextSize, '\0');
  WriteUuid(uuid, text.data());
  return text;
}

Result<Uuid> ParseUuid(std::string_view text) {
  const auto invalid = [&] {
    return Status::Invalid("'", text, "' is not a UUID; write it as ",
                           "6ba7b811-9dad-11d1-80b4-00c04fd430c8");
  };
  if (text.size() != kUuidTextSize) return invalid();
  uint64_t words[2] = {0, 0};
  int digits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsHyphenPlace(i)) {
      if (text[i] != '-') return invalid();
      continue;
    }
    const int digit = HexDigit(text[i]);
    if (digit < 0) return invalid();
    uint64_t& word = words[digits++ / 16];
    word = word << 4 | static_cast<uint64_t>(digit);
  }
  return Uuid{words[0], words[1]};
}

}  // namespace shopstream::generate
