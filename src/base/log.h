#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/log_line.h"
#include "base/status.h"

namespace shopstream {

// Logs go to stderr, one line for each event. Results go to stdout, so that `shopstream ... --json
// | jq` works. Invalid: an unknown level or format. `service`: the command runs until it is
// stopped, so that its log is for programs unless stderr is a terminal; this decides the format
// "auto".
Status StartLogging(const LogConfig& config, bool service = false);

// Use: Log::Info("opened {} at version {}", path, version);
// Formatting is compiled only in log.cc: it would cost seconds in each file that logs.
namespace Log {

// A warning or error of each kind is written at most once every 30 s, with the number of those left
// out.
void Write(LogLevel level, fmt::string_view format, fmt::format_args args);

// `kind`: what two reports of the same thing have in common; Warn derives it from the text. `hold`:
// nothing is written before the kind has lasted that long, for what usually cures itself.
void WarnOnce(std::string_view kind, Millis hold, std::string_view text);

// What a command has to tell the person who runs it, above all why it failed: an event at every
// level, `off` included. As text without time and level: "shopstream: MESSAGE" for an error,
// "warning: MESSAGE" for a warning.
void Tell(LogLevel level, std::string_view message);

// From now on, no line contains these texts; what is shorter than 8 bytes is ignored, because it
// may be part of any word.
void Hide(const std::vector<std::string>& secrets);

// The format is for people, who also like to see a line change in place.
bool IsText();

template <typename... Args>
void Debug(fmt::format_string<Args...> format, Args&&... args) {
  Write(LogLevel::kDebug, format, fmt::make_format_args(args...));
}
template <typename... Args>
void Info(fmt::format_string<Args...> format, Args&&... args) {
  Write(LogLevel::kInfo, format, fmt::make_format_args(args...));
}
template <typename... Args>
void Warn(fmt::format_string<Args...> format, Args&&... args) {
  Write(LogLevel::kWarn, format, fmt::make_format_args(args...));
}
template <typename... Args>
void Error(fmt::format_string<Args...> format, Args&&... args) {
  Write(LogLevel::kError, format, fmt::make_format_args(args...));
}

}  // namespace Log

}  // namespace shopstream
