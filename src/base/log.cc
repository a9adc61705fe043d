#include "base/log.h"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <mutex>
#include <optional>

#include "base/format.h"
#include "base/log_throttle.h"
#include "base/secrets.h"
#include "base/terminal.h"

namespace shopstream {
namespace {

constexpr size_t kShortestSecret = 8;

// spdlog writes the lines. They are formatted here, because none of its patterns escapes what it
// writes, and chosen here, because what a command tells is written at every level.
struct Sink {
  Sink() {
    logger.set_pattern("%v");
    logger.flush_on(spdlog::level::trace);
  }

  spdlog::logger logger{"shopstream", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
  std::atomic<LogLevel> level = LogLevel::kInfo;
  std::atomic<LogFormat> format = LogFormat::kText;

  std::mutex mutex{};  // Guards what follows, and keeps lines whole.
  std::vector<std::string> secrets{};
  LogThrottle throttle{Millis{30'000}};
};

// Never destroyed: threads may log until the process exits.
Sink& TheSink() {
  static Sink& sink = *new Sink;
  return sink;
}

bool IsLogged(LogLevel level) { return level >= TheSink().level.load(); }

// On a terminal a progress line may be at the start of this line.
std::string Beginning() { return isatty(STDERR_FILENO) == 1 ? "\r\x1b[K" : ""; }

std::string WithoutSecrets(std::string text, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    for (size_t at = text.find(secret); at != text.npos;
         at = text.find(secret, at + kHiddenSecret.size())) {
      text.replace(at, secret.size(), kHiddenSecret);
    }
  }
  return text;
}

int64_t Now() {
  return std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// The sink's mutex is held.
void Append(Sink* sink, LogLevel level, const std::string& text, int suppressed) {
  const std::string message = WithoutSecrets(text, sink->secrets);
  const LogEvent event{Now(), level, message, suppressed};
  const std::string line =
      Beginning() + LogLine(sink->format, event, StyleOf(STDERR_FILENO).colour);
  sink->logger.info(spdlog::string_view_t(line));
}

void AppendOnce(LogLevel level, std::string_view kind, Millis hold, const std::string& text) {
  Sink& sink = TheSink();
  const std::lock_guard lock(sink.mutex);
  const std::optional<int> left_out = sink.throttle.Pass(kind, hold, BootClock::now());
  if (left_out) Append(&sink, level, text, *left_out);
}

const char* TextPrefix(LogLevel level) {
  if (level == LogLevel::kError) return "shopstream: ";
  return level == LogLevel::kWarn ? "warning: " : "";
}

}  // namespace

void Log::Write(LogLevel level, fmt::string_view format, fmt::format_args args) {
  if (!IsLogged(level)) return;
  const std::string text = fmt::vformat(format, args);
  if (level >= LogLevel::kWarn) return AppendOnce(level, KindOfLine(text), Millis{0}, text);
  Sink& sink = TheSink();
  const std::lock_guard lock(sink.mutex);
  Append(&sink, level, text, 0);
}

void Log::WarnOnce(std::string_view kind, Millis hold, std::string_view text) {
  if (IsLogged(LogLevel::kWarn)) AppendOnce(LogLevel::kWarn, kind, hold, std::string(text));
}

void Log::Tell(LogLevel level, std::string_view message) {
  Sink& sink = TheSink();
  const std::lock_guard lock(sink.mutex);
  if (sink.format.load() != LogFormat::kText) return Append(&sink, level, std::string(message), 0);
  const std::string text = WithoutSecrets(std::string(message), sink.secrets);
  std::cerr << TextPrefix(level) + Printable(text) + "\n" << std::flush;
}

void Log::Hide(const std::vector<std::string>& secrets) {
  Sink& sink = TheSink();
  const std::lock_guard lock(sink.mutex);
  for (const std::string& secret : secrets) {
    if (secret.size() >= kShortestSecret) sink.secrets.push_back(secret);
  }
  // One may be part of another.
  std::ranges::sort(sink.secrets, std::greater{}, &std::string::size);
}

bool Log::IsText() { return TheSink().format.load() == LogFormat::kText; }

Status StartLogging(const LogConfig& config, bool service) {
  ARROW_ASSIGN_OR_RAISE(const LogLevel level, ParseLogLevel(config.level));
  LogFormat format = service && isatty(STDERR_FILENO) != 1 ? LogFormat::kLogfmt : LogFormat::kText;
  if (config.format != "auto") {
    ARROW_ASSIGN_OR_RAISE(format, ParseLogFormat(config.format));
  }
  TheSink().level = level;
  TheSink().format = format;
  return Status::OK();
}

}  // namespace shopstream
