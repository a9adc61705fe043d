#include "base/log_line.h"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <vector>

#include "base/format.h"
#include "base/json.h"
#include "base/nearest_name.h"

namespace shopstream {
namespace {

struct LevelName {
  const char* name;
  LogLevel level;
  const char* colour;
};
constexpr std::array kLevelNames = {
    LevelName{"trace", LogLevel::kTrace, "\x1b[37m"},
    LevelName{"debug", LogLevel::kDebug, "\x1b[36m"},
    LevelName{"info", LogLevel::kInfo, "\x1b[32m"},
    LevelName{"warn", LogLevel::kWarn, "\x1b[33m\x1b[1m"},
    LevelName{"error", LogLevel::kError, "\x1b[31m\x1b[1m"},
    LevelName{"off", LogLevel::kOff, ""},
};
constexpr const char* kNoColour = "\x1b[m";

struct FormatName {
  const char* name;
  LogFormat format;
};
constexpr std::array kFormatNames = {FormatName{"text", LogFormat::kText},
                                     FormatName{"logfmt", LogFormat::kLogfmt},
                                     FormatName{"json", LogFormat::kJson}};

template <typename Table>
Status UnknownName(std::string_view what, std::string_view name, const Table& known,
                   const std::string& all) {
  std::vector<std::string> names;
  for (const auto& one : known) names.emplace_back(one.name);
  return Status::Invalid("unknown ", what, " '", name, "'",
                         Then(DidYouMean(std::string(name), names), all));
}

// Local time without its zone: people compare it with the clock on the wall.
std::string LocalTime(int64_t unix_millis) {
  const time_t seconds = unix_millis / 1000;
  tm local{};
  if (localtime_r(&seconds, &local) == nullptr) return FormatTimestamp(unix_millis);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}", local.tm_year + 1900,
                     local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec,
                     unix_millis % 1000);
}

const LevelName& Named(LogLevel level) { return kLevelNames[static_cast<size_t>(level)]; }

std::string TextLine(const LogEvent& event, const std::string& message, bool colour) {
  const LevelName& level = Named(event.level);
  const std::string more = event.suppressed == 0 ? ""
                                                 : fmt::format(" (and {} like it before)",
                                                               FormatCount(event.suppressed));
  return fmt::format("{} {}{:<7}{} {}{}", LocalTime(event.unix_millis), colour ? level.colour : "",
                     level.name, colour ? kNoColour : "", message, more);
}

}  // namespace

const char* NameOf(LogLevel level) { return Named(level).name; }

Result<LogLevel> ParseLogLevel(std::string_view name) {
  for (const LevelName& known : kLevelNames) {
    if (name == known.name) return known.level;
  }
  return UnknownName("log level", name, kLevelNames,
                     "levels are trace, debug, info, warn, error and off");
}

Result<LogFormat> ParseLogFormat(std::string_view name) {
  for (const FormatName& known : kFormatNames) {
    if (name == known.name) return known.format;
  }
  return UnknownName("log format", name, kFormatNames, "formats are auto, text, logfmt and json");
}

std::string LogLine(LogFormat format, const LogEvent& event, bool colour) {
  const std::string message = Printable(event.message);
  if (format == LogFormat::kText) return TextLine(event, message, colour);
  const std::string time = FormatTimestamp(event.unix_millis);
  const std::string quoted = DumpJson(nlohmann::json(message));
  const char* level = NameOf(event.level);
  if (format == LogFormat::kLogfmt) {
    return fmt::format(
        "time={} level={} msg={}{}", time, level, quoted,
        event.suppressed == 0 ? "" : fmt::format(" suppressed={}", event.suppressed));
  }
  return fmt::format(
      R"({{"time":"{}","level":"{}","msg":{}{}}})", time, level, quoted,
      event.suppressed == 0 ? "" : fmt::format(",\"suppressed\":{}", event.suppressed));
}

}  // namespace shopstream
