#include "base/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace shopstream {
namespace {

constexpr size_t kUsualColumns = 80;

constexpr std::pair<char32_t, char32_t> kWide[] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
constexpr std::pair<char32_t, char32_t> kNoWidth[] = {
    {0x300, 0x36F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}};

bool IsIn(char32_t code, const auto& ranges) {
  return std::any_of(std::begin(ranges), std::end(ranges), [&](const auto& range) {
    return code >= range.first && code <= range.second;
  });
}

// The bytes of the first character; an invalid byte is one.
size_t CharacterBytes(std::string_view text) {
  size_t bytes = 1;
  while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) ++bytes;
  return bytes;
}

size_t CharacterWidth(std::string_view character) {
  if (character.size() == 1) return 1;
  char32_t code = static_cast<unsigned char>(character[0]) & (0xFF >> (character.size() + 1));
  for (const char c : character.substr(1))
    code = code << 6 | (static_cast<unsigned char>(c) & 0x3F);
  return IsIn(code, kNoWidth) ? 0 : IsIn(code, kWide) ? 2 : 1;
}

}  // namespace

TerminalStyle StyleOf(int descriptor) {
  if (isatty(descriptor) != 1) return {};
  winsize size{};
  const bool known = ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  const bool can_colour = terminal != nullptr && std::string_view(terminal) != "dumb";
  return {.columns = known ? size.ws_col : kUsualColumns,
          .colour = can_colour && (no_colour == nullptr || *no_colour == '\0')};
}

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const size_t bytes = CharacterBytes(text);
    width += CharacterWidth(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  return width;
}

std::string_view FirstColumns(std::string_view text, size_t columns) {
  size_t end = 0, width = 0;
  while (end < text.size()) {
    const size_t bytes = CharacterBytes(text.substr(end));
    width += CharacterWidth(text.substr(end, bytes));
    if (width > columns) break;
    end += bytes;
  }
  return text.substr(0, end);
}

std::vector<std::string> WrapWords(std::string_view text, size_t columns) {
  if (DisplayWidth(text) <= columns) return {std::string(text)};
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    const size_t used = DisplayWidth(lines.back());
    if (used > 0 && used + 1 + DisplayWidth(word) > columns) lines.emplace_back();
    while (DisplayWidth(word) > columns) {
      lines.back() = FirstColumns(word, columns);
      word.remove_prefix(lines.back().size());
      lines.emplace_back();
    }
    if (!lines.back().empty()) lines.back() += ' ';
    lines.back() += word;
  }
  return lines;
}

}  // namespace shopstream
