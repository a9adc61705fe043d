#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace shopstream {

// The number that the whole text is, in the forms of std::from_chars: no spaces, no leading +, and
// inf and nan for a double only. Nothing if it is not one, or T cannot hold it.
template <typename T>
std::optional<T> ParseWhole(std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

}  // namespace shopstream
