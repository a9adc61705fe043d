#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace shopstream {

enum class LogFormat {
  kText,    // For people: 2025-10-24T10:15:30.123 info    message (and 3 like it before)
  kLogfmt,  // time=2025-10-24T08:15:30.123Z level=info msg="message" suppressed=3
  kJson,    // {"time":"2025-10-24T08:15:30.123Z","level":"info","msg":"message","suppressed":3}
};

enum class LogLevel { kTrace, kDebug, kInfo, kWarn, kError, kOff };

// "info". Invalid: there is no such level, or format; the message names the nearest and all.
const char* NameOf(LogLevel level);
Result<LogLevel> ParseLogLevel(std::string_view name);
Result<LogFormat> ParseLogFormat(std::string_view name);

struct LogEvent {
  int64_t unix_millis = 0;
  LogLevel level = LogLevel::kInfo;
  std::string_view message;  // Any bytes.
  int suppressed = 0;        // Events of its kind that were left out since the last one.
};

// One line without its end, in valid UTF-8 and without control characters, whatever the message
// has: those become \n, \t or \x1b. Values in logfmt and JSON are quoted as JSON strings.
// `colour`: the level is in colour, in text only.
std::string LogLine(LogFormat format, const LogEvent& event, bool colour = false);

}  // namespace shopstream
