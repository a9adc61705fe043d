#include "produce/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "base/format.h"
#include "base/log.h"

namespace shopstream::produce {
namespace {
constexpr Millis kInPlaceInterval{250};
constexpr Millis kLogInterval{5000};
}  // namespace

std::string FormatProgress(const kafka::ProducerStats& stats, double events_per_second) {
  std::string line = fmt::format(
      "{} events, {}/s, acknowledged {}, under way {}, errors {}", FormatCount(stats.queued),
      FormatCount(static_cast<int64_t>(events_per_second + 0.5)), FormatCount(stats.acknowledged),
      FormatCount(stats.queued - stats.acknowledged - stats.failed), FormatCount(stats.failed));
  if (stats.failed > 0) line += " (" + stats.first_error + ")";
  return line;
}

ProgressDisplay::ProgressDisplay(bool silent, BootClock::time_point now)
    : in_place_(isatty(STDERR_FILENO) == 1),
      interval_(in_place_ ? kInPlaceInterval : kLogInterval),
      due_at_(silent ? BootClock::time_point::max() : now + interval_),
      shown_at_(now) {}

void ProgressDisplay::Show(const kafka::ProducerStats& stats, BootClock::time_point now) {
  const double seconds = std::chrono::duration<double>(now - shown_at_).count();
  const double rate = static_cast<double>(stats.queued - shown_queued_) / seconds;
  const std::string line = FormatProgress(stats, rate);
  if (in_place_) {
    std::fprintf(stderr, "\r%s\x1b[K", line.c_str());
    std::fflush(stderr);
  } else {
    Log::Info("{}", line);
  }
  shown_ = true;
  shown_at_ = now;
  shown_queued_ = stats.queued;
  due_at_ = now + interval_;
}

void ProgressDisplay::End() {
  if (!in_place_ || !shown_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
}

}  // namespace shopstream::produce
