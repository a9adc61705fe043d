#pragma once
// Logical types that become text, and back.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace shopstream::avro {

// Avro's decimals are two's complement, the highest byte first; no bytes are 0. As a number of 16
// bytes in the machine's order; none where its digits are more than `precision` (at most 38).
std::optional<std::array<uint64_t, 2>> ReadDecimal(std::span<const uint8_t> bytes,
                                                   int32_t precision);
// The fewest bytes of the number.
std::string DecimalBytes(std::array<uint64_t, 2> number);

// "-12.50"; always with `scale` digits behind the point. None: too many digits. Takes time by the
// square of the precision.
std::optional<std::string> FormatDecimal(std::span<const uint8_t> bytes, int32_t precision,
                                         int32_t scale);
// Back into the fewest bytes; none where it is not what FormatDecimal writes.
std::optional<std::string> ParseDecimal(std::string_view text, int32_t precision, int32_t scale);

// 16 bytes as "8c2b07ac-...", and back.
std::string FormatUuid(std::span<const uint8_t> bytes);
std::optional<std::string> ParseUuid(std::string_view text);

// 12 bytes (months, days, milliseconds; each 4 bytes, the lowest first) as an ISO 8601 duration,
// "P1M2DT3.004S", all parts always there; and back.
std::string FormatDuration(std::span<const uint8_t> bytes);
std::optional<std::string> ParseDuration(std::string_view text);

}  // namespace shopstream::avro
