#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/text_encoding.h"

namespace shopstream {

// How a file writes its values; all but `nulls` concern text files only.
struct FileFormat {
  std::optional<char> delimiter;     // None: the first of , ; tab | that gives the needed columns.
  std::optional<Encoding> encoding;  // None: UTF-8, or UTF-16 if the file begins with its mark.
  std::optional<char> quote = '"';
  char decimal = '.';
  // Leave out, and count, lines with fewer or more values than the header; otherwise an error.
  bool skip_short_lines = false;
  bool skip_long_lines = false;
  // Texts that mean a missing value. None given: the empty text, in text files only.
  std::optional<std::vector<std::string>> nulls;
};

// Lines of a text file with fewer, or more, values than its header.
struct SkippedLines {
  int64_t with_fewer_values = 0;
  int64_t with_more_values = 0;
};

}  // namespace shopstream
