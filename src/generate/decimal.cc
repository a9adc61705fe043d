#include "generate/decimal.h"

#include <array>
#include <charconv>
#include <limits>
#include <string>

#include "base/number.h"

namespace shopstream::generate {
namespace {

constexpr int kMaxDigits = 30, kMaxScale = 30, kMaxProductDigits = 36;

constexpr Decimal::Digits PowerOfTen(int exponent) {
  Decimal::Digits power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

constexpr Decimal::Digits kParsedBound = PowerOfTen(kMaxDigits);
constexpr Decimal::Digits kProductBound = PowerOfTen(kMaxProductDigits);

Decimal::Digits Absolute(Decimal::Digits value) { return value < 0 ? -value : value; }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Removes the zeros at the end of the fraction.
void DropZeros(Decimal* value) {
  for (; value->scale > 0 && value->digits % 10 == 0; --value->scale) value->digits /= 10;
}

// Drops the digits of the fraction for which there is no scale.
void LimitScale(Decimal* value) {
  for (; value->scale > kMaxScale; --value->scale) value->digits /= 10;
}

// Moves the point by a power of ten.
std::optional<Decimal> Shift(Decimal value, int exponent) {
  value.scale -= exponent;
  for (; value.scale < 0; ++value.scale) {
    value.digits *= 10;
    if (Absolute(value.digits) >= kParsedBound) return std::nullopt;
  }
  LimitScale(&value);
  return value;
}

}  // namespace

std::optional<Decimal> ParseDecimal(std::string_view text, char point) {
  text = Trim(text);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  Decimal value;
  int digits = 0;
  bool any = false, fraction = false;
  size_t at = 0;
  for (; at < text.size() && (IsDigit(text[at]) || (text[at] == point && !fraction)); ++at) {
    if (text[at] == point) {
      fraction = true;
      continue;
    }
    any = true;
    if (fraction && (digits == kMaxDigits || value.scale == kMaxScale)) continue;
    digits += digits > 0 || text[at] != '0';
    if (digits > kMaxDigits) return std::nullopt;
    value.digits = value.digits * 10 + (text[at] - '0');
    value.scale += fraction;
  }
  if (!any) return std::nullopt;
  if (negative) value.digits = -value.digits;
  if (at == text.size()) return value;
  if (text[at] != 'e' && text[at] != 'E') return std::nullopt;
  std::string_view power = text.substr(at + 1);
  if (power.starts_with('+')) power.remove_prefix(1);
  const auto exponent = ParseWhole<int>(power);
  if (!exponent || *exponent < -400 || *exponent > kMaxDigits) return std::nullopt;
  return Shift(value, *exponent);
}

std::optional<Decimal> Multiply(const Decimal& a, const Decimal& b) {
  Decimal product;
  if (__builtin_mul_overflow(a.digits, b.digits, &product.digits)) return std::nullopt;
  product.scale = a.scale + b.scale;
  DropZeros(&product);
  LimitScale(&product);
  if (Absolute(product.digits) >= kProductBound) return std::nullopt;
  return product;
}

Decimal Round(Decimal value, int places) {
  if (value.scale <= places) return value;
  const Decimal::Digits unit = PowerOfTen(value.scale - places);
  const Decimal::Digits half = value.digits < 0 ? -unit / 2 : unit / 2;
  return {(value.digits + half) / unit, places};
}

double ToDouble(const Decimal& value) {
  constexpr int64_t kExact = int64_t{1} << 53;
  constexpr std::array<double, 16> kPowers = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                              1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  // Both are exact, so that the quotient is rounded once.
  if (Absolute(value.digits) < kExact && value.scale < static_cast<int>(kPowers.size())) {
    return static_cast<double>(static_cast<int64_t>(value.digits)) / kPowers[value.scale];
  }
  std::string text;
  for (Decimal::Digits rest = Absolute(value.digits); rest > 0; rest /= 10) {
    text.insert(text.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
  }
  text = (value.digits < 0 ? "-" : "") + text + "e-" + std::to_string(value.scale);
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::optional<int64_t> ToInteger(Decimal value) {
  DropZeros(&value);
  const bool fits = value.digits >= std::numeric_limits<int64_t>::min() &&
                    value.digits <= std::numeric_limits<int64_t>::max();
  if (value.scale > 0 || !fits) return std::nullopt;
  return static_cast<int64_t>(value.digits);
}

}  // namespace shopstream::generate
