#include "base/log.h"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/format.h"
#include "base/log_throttle.h"
#include "base/nearest_name.h"

namespace shopstream {
namespace {

struct LevelName {
  const char* name;
  spdlog::level::level_enum level;
};
constexpr std::array kLevels = {
    LevelName{"trace", spdlog::level::trace}, LevelName{"debug", spdlog::level::debug},
    LevelName{"info", spdlog::level::info},   LevelName{"warn", spdlog::level::warn},
    LevelName{"error", spdlog::level::err},   LevelName{"off", spdlog::level::off},
};

spdlog::level::level_enum LevelOf(Log::Level level) {
  switch (level) {
    case Log::Level::kDebug:
      return spdlog::level::debug;
    case Log::Level::kInfo:
      return spdlog::level::info;
    case Log::Level::kWarn:
      return spdlog::level::warn;
    case Log::Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// How many warnings of this kind were left out before this one. Nothing: leave out this one too.
std::optional<int> LeftOutBefore(std::string_view kind, Millis hold) {
  static std::mutex mutex;
  static LogThrottle throttle(Millis{30'000});
  const std::lock_guard lock(mutex);
  return throttle.Pass(kind, hold, BootClock::now());
}

}  // namespace

void Log::Write(Level level, fmt::string_view format, fmt::format_args args) {
  const auto spd_level = LevelOf(level);
  if (!spdlog::should_log(spd_level)) return;
  const std::string text = fmt::vformat(format, args);
  if (level == Level::kWarn) return WarnOnce(KindOfLine(text), Millis{0}, text);
  spdlog::log(spd_level, std::string_view(text));
}

void Log::WarnOnce(std::string_view kind, Millis hold, std::string_view text) {
  if (!spdlog::should_log(spdlog::level::warn)) return;
  const std::optional<int> left_out = LeftOutBefore(kind, hold);
  if (!left_out) return;
  const std::string more =
      *left_out == 0 ? "" : fmt::format(" (and {} like it before)", FormatCount(*left_out));
  spdlog::warn("{}{}", text, more);
}

Status StartLogging(std::string_view level) {
  for (const LevelName& known : kLevels) {
    if (level != known.name) continue;
    auto logger = std::make_shared<spdlog::logger>(
        "shopstream", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    // On a terminal a progress line may be at the start of this line.
    const std::string clear = isatty(STDERR_FILENO) == 1 ? "\r\x1b[K" : "";
    logger->set_pattern(clear + "%Y-%m-%dT%H:%M:%S.%e %^%-7l%$ %v");
    logger->set_level(known.level);
    logger->flush_on(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
    return Status::OK();
  }
  std::vector<std::string> names;
  for (const LevelName& known : kLevels) names.emplace_back(known.name);
  const std::string near = DidYouMean(std::string(level), names);
  return Status::Invalid("unknown log level '", level, "'",
                         Then(near, "levels are trace, debug, info, warn, error and off"));
}

}  // namespace shopstream
