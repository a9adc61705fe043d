#include "lake/parquet/java_path.h"

#include <cstddef>
#include <cstdint>

#include "lake/parquet/partition_path.h"

namespace shopstream::lake {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kKept = "-_.!~*'();/:@&=+$,";
constexpr uint32_t kInvalid = 0xFFFFFFFF;

struct Character {
  uint32_t code = kInvalid;
  size_t bytes = 1;
};

// The first character of the text, which must not be empty.
Character FirstCharacter(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
  uint32_t code = lead & (0xFFu >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<uint8_t>(text[i]);
    if ((next & 0xC0) != 0x80) return {};
    code = code << 6 | (next & 0x3F);
  }
  const bool too_long = bytes == 3 ? code < 0x800 : bytes == 4 && code < 0x10000;
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (too_long || surrogate || code > 0x10FFFF) return {};
  return {code, bytes};
}

bool IsAsciiKept(uint32_t code) {
  const auto c = static_cast<char>(code);
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         kKept.find(c) != std::string_view::npos;
}

// Character.isSpaceChar and Character.isISOControl, beyond ASCII.
bool IsSpaceOrControl(uint32_t code) {
  return code <= 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
         code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

void AppendEscaped(std::string_view bytes, std::string* out) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char byte : bytes) {
    *out += '%';
    *out += kHex[static_cast<uint8_t>(byte) >> 4];
    *out += kHex[static_cast<uint8_t>(byte) & 0x0f];
  }
}

}  // namespace

std::string JavaSpelling(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  while (!path.empty()) {
    const Character character = FirstCharacter(path);
    const std::string_view bytes = path.substr(0, character.bytes);
    path.remove_prefix(character.bytes);
    if (character.code == kInvalid) {
      out += kReplacement;
    } else if (character.code < 0x80 ? IsAsciiKept(character.code)
                                     : !IsSpaceOrControl(character.code)) {
      out += bytes;
    } else {
      AppendEscaped(bytes, &out);
    }
  }
  return out;
}

bool SparkRecognises(std::string_view log_path) {
  return JavaSpelling(DecodeLogPath(log_path)) == log_path;
}

}  // namespace shopstream::lake
