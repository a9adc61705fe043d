#include "avro/logical_text.h"

#include <arrow/util/decimal.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <vector>

namespace shopstream::avro {
namespace {

constexpr uint32_t kBillion = 1'000'000'000;

using Bytes = std::span<const uint8_t>;

// Strips leading bytes that only repeat the sign.
Bytes Shortest(Bytes bytes) {
  while (bytes.size() > 1 && (bytes[0] == 0 || bytes[0] == 0xFF) &&
         (bytes[0] & 0x80) == (bytes[1] & 0x80)) {
    bytes = bytes.subspan(1);
  }
  return bytes;
}

void Negate(std::vector<uint8_t>* bytes) {
  bool carry = true;
  for (auto byte = bytes->rbegin(); byte != bytes->rend(); ++byte) {
    *byte = static_cast<uint8_t>(~*byte + (carry ? 1 : 0));
    carry = carry && *byte == 0;
  }
}

// Divides in place and returns the remainder.
uint32_t DivideByBillion(std::vector<uint32_t>* words) {
  uint64_t rest = 0;
  for (uint32_t& word : *words) {
    const uint64_t value = rest << 32 | word;
    word = static_cast<uint32_t>(value / kBillion);
    rest = value % kBillion;
  }
  while (!words->empty() && words->front() == 0) words->erase(words->begin());
  return static_cast<uint32_t>(rest);
}

// The digits of a magnitude, without leading zeros; "" for 0.
std::string Digits(Bytes magnitude) {
  std::vector<uint32_t> words((magnitude.size() + 3) / 4);
  for (size_t i = 0; i < magnitude.size(); ++i) {
    const size_t from_end = magnitude.size() - 1 - i;
    words[words.size() - 1 - from_end / 4] |= uint32_t{magnitude[i]} << (8 * (from_end % 4));
  }
  while (!words.empty() && words.front() == 0) words.erase(words.begin());
  std::string reversed;
  while (!words.empty()) {
    uint32_t part = DivideByBillion(&words);
    for (int i = 0; i < 9; ++i, part /= 10) reversed += static_cast<char>('0' + part % 10);
  }
  while (!reversed.empty() && reversed.back() == '0') reversed.pop_back();
  std::ranges::reverse(reversed);
  return reversed;
}

// The magnitude of decimal digits, most significant byte first.
std::vector<uint8_t> Magnitude(std::string_view digits) {
  std::vector<uint8_t> bytes;  // Least significant first.
  for (const char digit : digits) {
    uint32_t carry = static_cast<uint32_t>(digit - '0');
    for (uint8_t& byte : bytes) {
      carry += byte * 10u;
      byte = static_cast<uint8_t>(carry);
      carry >>= 8;
    }
    if (carry > 0) bytes.push_back(static_cast<uint8_t>(carry));
  }
  std::ranges::reverse(bytes);
  return bytes;
}

bool AreDigits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<std::array<uint64_t, 2>> ReadDecimal(Bytes bytes, int32_t precision) {
  bytes = Shortest(bytes);
  if (bytes.size() > 16) return std::nullopt;
  const bool is_negative = !bytes.empty() && (bytes[0] & 0x80) != 0;
  std::array<uint8_t, 16> number;
  number.fill(is_negative ? 0xFF : 0);
  std::ranges::copy(bytes, number.begin() + static_cast<ptrdiff_t>(16 - bytes.size()));
  std::ranges::reverse(number);
  if (!arrow::Decimal128(number.data()).FitsInPrecision(precision)) return std::nullopt;
  std::array<uint64_t, 2> words;
  std::memcpy(words.data(), number.data(), number.size());
  return words;
}

std::string DecimalBytes(std::array<uint64_t, 2> number) {
  std::array<uint8_t, 16> bytes;
  std::memcpy(bytes.data(), number.data(), bytes.size());
  std::ranges::reverse(bytes);
  const Bytes shortest = Shortest(bytes);
  return {reinterpret_cast<const char*>(shortest.data()), shortest.size()};
}

std::optional<std::string> FormatDecimal(Bytes bytes, int32_t precision, int32_t scale) {
  bytes = Shortest(bytes);
  // A byte holds more than two digits.
  if (bytes.size() > static_cast<size_t>(precision) / 2 + 2) return std::nullopt;
  std::vector<uint8_t> magnitude(bytes.begin(), bytes.end());
  const bool is_negative = !bytes.empty() && (bytes[0] & 0x80) != 0;
  if (is_negative) Negate(&magnitude);
  std::string digits = Digits(magnitude);
  if (digits.size() > static_cast<size_t>(precision)) return std::nullopt;
  const auto behind = static_cast<size_t>(scale);
  if (digits.size() <= behind) digits = std::string(behind + 1 - digits.size(), '0').append(digits);
  if (behind > 0) digits.insert(digits.end() - static_cast<ptrdiff_t>(behind), '.');
  if (is_negative) digits.insert(digits.begin(), '-');
  return digits;
}

std::optional<double> NearestDouble(std::string_view text) {
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec == std::errc()) return number;
  // Out of range at either end.
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  if (!text.starts_with("0.")) return std::nullopt;
  return is_negative ? -0.0 : 0.0;
}

std::optional<std::string> ParseDecimal(std::string_view text, int32_t precision, int32_t scale) {
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  std::string digits(text);
  const auto behind = static_cast<size_t>(scale);
  if (behind > 0) {
    if (digits.size() < behind + 2 || digits[digits.size() - behind - 1] != '.') {
      return std::nullopt;
    }
    digits.erase(digits.size() - behind - 1, 1);
  }
  if (digits.empty() || !AreDigits(digits)) return std::nullopt;
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.size() > static_cast<size_t>(precision)) return std::nullopt;
  std::vector<uint8_t> bytes = Magnitude(digits);
  bytes.insert(bytes.begin(), 0);  // The sign.
  if (is_negative) Negate(&bytes);
  const Bytes shortest = Shortest(bytes);
  return std::string(reinterpret_cast<const char*>(shortest.data()), shortest.size());
}

std::string FormatUuid(Bytes bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 0xF];
  }
  return text;
}

std::optional<std::string> ParseUuid(std::string_view text) {
  std::string digits(text);
  std::erase(digits, '-');
  if (digits.size() != 32) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < digits.size(); i += 2) {
    uint8_t byte = 0;
    const char* const end = digits.data() + i + 2;
    if (std::from_chars(digits.data() + i, end, byte, 16).ptr != end) return std::nullopt;
    bytes += static_cast<char>(byte);
  }
  std::vector<uint8_t> read(bytes.begin(), bytes.end());
  if (FormatUuid(read) != text) return std::nullopt;
  return bytes;
}

std::string FormatDuration(Bytes bytes) {
  std::array<uint32_t, 3> parts;
  std::memcpy(parts.data(), bytes.data(), sizeof(parts));
  char text[64];
  const int size = std::snprintf(text, sizeof(text), "P%uM%uDT%u.%03uS", parts[0], parts[1],
                                 parts[2] / 1000, parts[2] % 1000);
  return {text, static_cast<size_t>(size)};
}

std::optional<std::string> ParseDuration(std::string_view text) {
  std::array<uint32_t, 3> parts;
  uint32_t seconds = 0;
  uint32_t millis = 0;
  if (std::sscanf(std::string(text).c_str(), "P%uM%uDT%u.%3uS", &parts[0], &parts[1], &seconds,
                  &millis) != 4) {
    return std::nullopt;
  }
  parts[2] = seconds * 1000 + millis;
  std::array<uint8_t, 12> bytes;
  std::memcpy(bytes.data(), parts.data(), bytes.size());
  if (FormatDuration(bytes) != text) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace shopstream::avro
