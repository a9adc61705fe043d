#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/timestamp.h"

namespace shopstream::generate {

// How a file writes times: "%m/%d/%Y %H:%M".
//
//   %Y year of 4 digits    %m month    %d day    %H hour 0-23    %I hour 1-12    %p AM or PM
//   %y year of 2 digits: 69-99 are 1969-1999, 00-68 are 2000-2068
//   %b month's name, in English: Mar or March      %M minute    %S second
//   %f fraction of a second, 1 to 9 digits         %z +02:00, +0200, +02 or Z       %% a %
//
// Numbers other than years may omit a leading zero: 9 for 09. Everything else must be in the text
// as it is in the pattern.
class TimePattern {
 public:
  // Invalid: an unknown %x, or one that is missing or given twice.
  static Result<TimePattern> Compile(const std::string& pattern);

  // With an offset if the pattern has a %z. Nothing if the text does not match, or there is no such
  // day or time. Digits beyond milliseconds are truncated.
  std::optional<IsoTime> Parse(std::string_view text) const;

  const std::string& text() const { return text_; }

 private:
  struct Item {
    char field = 0;  // 0: a literal.
    char literal = 0;
  };
  std::string text_;
  std::vector<Item> items_;
};

}  // namespace shopstream::generate
