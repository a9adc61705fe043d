#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace shopstream {

inline constexpr int64_t kMicrosPerMilli = 1000;
inline constexpr int64_t kMillisPerDay = 86'400'000;
inline constexpr int64_t kMicrosPerDay = kMillisPerDay * kMicrosPerMilli;

// The instants of the years 0001 to 9999 (UTC), in milliseconds since 1970, bounds included.
// Readers refuse every query on a table that has a date outside them.
inline constexpr int64_t kYear1Millis = -62'135'596'800'000;
inline constexpr int64_t kLastMillis = 253'402'300'799'999;

// The timestamp of a record that has none, as in kafka::RecordView.
inline constexpr int64_t kNoTimestamp = -1;

// Rounds down, also below zero. `by` is positive.
constexpr int64_t FloorDiv(int64_t value, int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

// Within these bounds, a thousand times the value plus a day fits an int64.
constexpr bool IsCalendarMillis(int64_t millis) {
  return kYear1Millis <= millis && millis <= kLastMillis;
}

// Whether a record has a timestamp, and it is inside the calendar.
constexpr bool IsKnownMillis(int64_t millis) {
  return millis != kNoTimestamp && IsCalendarMillis(millis);
}

// "2025-10-24", Delta's form of a date in a partition value; days since 1970-01-01.
std::string FormatDate(int32_t days);
// The days of this form; nothing: the text has another one.
std::optional<int32_t> ParseDate(std::string_view text);

inline constexpr std::string_view kSentPrefix = "Kafka's timestamp ";
inline constexpr std::string_view kOutsideSuffix = " ms is outside the years 0001 to 9999";

// The end of a quarantined record's detail if its timestamp is outside the calendar: the table's
// column is null then, as if there were none, so the number is stored here.
inline std::string DescribeSentOutside(int64_t millis) {
  return std::string(kSentPrefix) + std::to_string(millis) + std::string(kOutsideSuffix);
}
// The number at the end of such a detail; nothing for any other detail.
inline std::optional<int64_t> FindSentOutside(std::string_view detail) {
  if (!detail.ends_with(kOutsideSuffix)) return std::nullopt;
  detail.remove_suffix(kOutsideSuffix.size());
  const size_t prefix = detail.rfind(kSentPrefix);
  if (prefix == std::string_view::npos) return std::nullopt;
  detail.remove_prefix(prefix + kSentPrefix.size());
  int64_t millis = 0;
  const auto [end, error] = std::from_chars(detail.data(), detail.data() + detail.size(), millis);
  const bool whole = error == std::errc() && end == detail.data() + detail.size();
  return whole && !IsCalendarMillis(millis) ? std::optional(millis) : std::nullopt;
}

}  // namespace shopstream
