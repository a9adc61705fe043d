#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace shopstream {

// Human-readable: 1234567 -> "1,234,567"; 1536 -> "1.5 KiB"; 95000 ms -> "1 min 35 s".
std::string FormatCount(int64_t count);
// "1 file", "2,000 files".
std::string Counted(int64_t count, std::string_view noun);
std::string FormatBytes(int64_t bytes);
std::string FormatMillis(int64_t millis);

// Milliseconds since the Unix epoch -> "2025-10-24T08:15:30.123Z".
std::string FormatTimestamp(int64_t unix_millis);

// Two lower-case digits per byte.
std::string FormatHex(std::string_view bytes);
// The value of a hexadecimal digit of either case; -1 for any other character.
int HexDigit(char c);

// Text of unknown origin as one harmless line: control characters and invalid UTF-8 become \n, \t
// or \x1b, so that a message cannot control the terminal it is printed on.
std::string Printable(std::string_view text);

// The character in UTF-8. `code`: any Unicode scalar value.
void AppendUtf8(char32_t code, std::string* out);

// ASCII letters in lower case.
std::string ToLower(std::string text);

}  // namespace shopstream
