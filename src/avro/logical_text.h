#pragma once
// Logical types that become text, and back.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace shopstream::avro {

// Avro's decimals are two's complement, most significant byte first; no bytes mean 0. Returns a
// number of 16 bytes in native order; nothing if it has more than `precision` (at most 38) digits.
std::optional<std::array<uint64_t, 2>> ReadDecimal(std::span<const uint8_t> bytes,
                                                   int32_t precision);
// The shortest encoding of the number.
std::string DecimalBytes(std::array<uint64_t, 2> number);

// "-12.50", always with `scale` digits after the point. Nothing: too many digits. Takes time
// quadratic in the precision.
std::optional<std::string> FormatDecimal(std::span<const uint8_t> bytes, int32_t precision,
                                         int32_t scale);
// The double nearest to FormatDecimal's text, 0 if it is too small for one; nothing if it is too
// large.
std::optional<double> NearestDouble(std::string_view text);
// Back to the shortest encoding; nothing if the text is not in FormatDecimal's form.
std::optional<std::string> ParseDecimal(std::string_view text, int32_t precision, int32_t scale);

// 16 bytes as "8c2b07ac-...", and the inverse.
std::string FormatUuid(std::span<const uint8_t> bytes);
std::optional<std::string> ParseUuid(std::string_view text);

// 12 bytes (months, days, milliseconds; 4 bytes each, little-endian) as an ISO 8601 duration,
// "P1M2DT3.004S", with all parts; and the inverse.
std::string FormatDuration(std::span<const uint8_t> bytes);
std::optional<std::string> ParseDuration(std::string_view text);

}  // namespace shopstream::avro
