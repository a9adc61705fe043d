#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace shopstream {

// What the output device can show.
struct TerminalStyle {
  size_t columns = std::numeric_limits<size_t>::max();  // No limit: a file or a pipe.
  bool colour = false;
};

// The current style of a file descriptor; a terminal's width may change at any time. Colour on a
// terminal that can, unless NO_COLOR is set (https://no-color.org).
TerminalStyle StyleOf(int descriptor);

// How many columns a terminal uses for a UTF-8 text: two for East Asian letters and most emoji,
// none for accents that combine with the letter before.
size_t DisplayWidth(std::string_view text);

// The first `columns` columns of a text, in whole characters.
std::string_view FirstColumns(std::string_view text, size_t columns);

// Lines of at most `columns` columns (> 1), broken at spaces, or within a word that is longer.
std::vector<std::string> WrapWords(std::string_view text, size_t columns);

}  // namespace shopstream
