#include "lake/store/uuid.h"

#include <array>
#include <cstdint>
#include <cstring>

#include "base/runtime.h"

namespace shopstream::lake {

std::string NewUuid() {
  std::array<uint8_t, 16> bytes;
  const std::array<uint64_t, 2> random = {RandomBits(), RandomBits()};
  std::memcpy(bytes.data(), random.data(), bytes.size());
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3f) | 0x80);

  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kHex[bytes[i] >> 4];
    text += kHex[bytes[i] & 0x0f];
  }
  return text;
}

}  // namespace shopstream::lake
