#include "avro/decode_place.h"

namespace shopstream::avro {

std::string FillItems(std::string_view place, std::string items) {
  std::string filled;
  for (const char c : place) {
    if (c != kItemMark) {
      filled += c;
      continue;
    }
    const size_t outermost = items.rfind(kItemMark);
    if (outermost == std::string::npos) continue;
    filled += items.substr(outermost + 1);
    items.resize(outermost);
  }
  return filled;
}

std::string NameOfItem(int64_t number) { return "[" + std::to_string(number) + "]"; }

std::string NameOfItem(std::string_view key) {
  constexpr size_t kShown = 40;
  std::string name = "[\"";
  for (const char c : key.substr(0, kShown)) {
    name += c >= ' ' && c <= '~' && c != '"' ? c : '?';  // The text may end inside a character.
  }
  return name + "\"]";
}

}  // namespace shopstream::avro
