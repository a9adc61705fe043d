#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace shopstream::generate {

// digits / 10^scale, exactly: 12.50 is {1250, 2}.
struct Decimal {
  __extension__ using Digits = __int128;
  Digits digits = 0;
  int scale = 0;  // 0 to 30.
  bool operator==(const Decimal&) const = default;
};

// "-12.5", "1e3"; spaces around it are ignored, `point` separates the fraction. Digits of a
// fraction after the 30th are dropped. Nothing if the text is not a finite number, or is 10^30 or
// more.
std::optional<Decimal> ParseDecimal(std::string_view text, char point = '.');

// Nothing if the product has more than 36 digits.
std::optional<Decimal> Multiply(const Decimal& a, const Decimal& b);

// With at most this many digits after the point; halves are rounded away from zero.
Decimal Round(Decimal value, int places);

// The nearest double, as a parser of the decimal's text would give.
double ToDouble(const Decimal& value);

// Nothing if it has a fraction, or does not fit.
std::optional<int64_t> ToInteger(Decimal value);

}  // namespace shopstream::generate
