#pragma once

#include <fmt/core.h>

#include <string_view>

#include "base/clock.h"
#include "base/status.h"

namespace shopstream {

// Logs go to stderr, one line each: time, level, message. Results go to stdout, so that `shopstream
// ... --json | jq` works. `level`: trace, debug, info, warn, error, off.
Status StartLogging(std::string_view level);

// Use: Log::Info("opened {} at version {}", path, version);
// Formatting is compiled only in log.cc: it would cost seconds in each file that logs.
namespace Log {

enum class Level { kDebug, kInfo, kWarn, kError };
void Write(Level level, fmt::string_view format, fmt::format_args args);

// A warning of each kind is written at most once every 30 s, with the number of those left out.
// `kind`: what two reports of the same thing have in common; Warn derives it from the text. `hold`:
// nothing is written before the kind has lasted that long, for what usually cures itself.
void WarnOnce(std::string_view kind, Millis hold, std::string_view text);

template <typename... Args>
void Debug(fmt::format_string<Args...> format, Args&&... args) {
  Write(Level::kDebug, format, fmt::make_format_args(args...));
}
template <typename... Args>
void Info(fmt::format_string<Args...> format, Args&&... args) {
  Write(Level::kInfo, format, fmt::make_format_args(args...));
}
template <typename... Args>
void Warn(fmt::format_string<Args...> format, Args&&... args) {
  Write(Level::kWarn, format, fmt::make_format_args(args...));
}
template <typename... Args>
void Error(fmt::format_string<Args...> format, Args&&... args) {
  Write(Level::kError, format, fmt::make_format_args(args...));
}

}  // namespace Log

}  // namespace shopstream
