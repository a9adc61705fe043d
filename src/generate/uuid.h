#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace shopstream::generate {

// RFC 9562. The 16 bytes as two big-endian words.
struct Uuid {
  uint64_t high = 0;
  uint64_t low = 0;
  bool operator==(const Uuid&) const = default;
};

inline constexpr int kUuidTextSize = 36;

// Version 4 from 128 random bits.
inline Uuid MakeUuidV4(uint64_t high, uint64_t low) {
  return {(high & ~0xf000ull) | 0x4000, (low & ~(0xc0ull << 56)) | (0x80ull << 56)};
}

// Version 5: SHA-1 of the namespace and the name; equal names give equal ids.
Uuid MakeUuidV5(const Uuid& name_space, std::string_view name);

// Writes kUuidTextSize characters, lower case: 2ed6657d-e927-568b-95e1-2665a8aea6a2.
void WriteUuid(const Uuid& uuid, char* out);
std::string ToString(const Uuid& uuid);
// Invalid names the text.
Result<Uuid> ParseUuid(std::string_view text);

}  // namespace shopstream::generate
