#include "model/calendar.h"

#include <chrono>
#include <cstdio>

#include "base/timestamp.h"

namespace shopstream {

std::string FormatDate(int32_t days) {
  std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  char text[16];
  std::snprintf(text, sizeof(text), "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

std::optional<int32_t> ParseDate(std::string_view text) {
  const auto millis = ParseTimestamp(text);
  if (!millis.ok()) return std::nullopt;
  const auto days = static_cast<int32_t>(FloorDiv(*millis, kMillisPerDay));
  return FormatDate(days) == text ? std::optional(days) : std::nullopt;
}

}  // namespace shopstream
