#include "produce/progress.h"

#include <fmt/format.h>

#include "base/format.h"

namespace shopstream::produce {
namespace {
constexpr ProgressLine::Intervals kIntervals{.in_place = Millis{250}, .logged = Millis{5000}};
}  // namespace

std::string FormatProgress(const kafka::ProducerStats& stats, double events_per_second) {
  std::string line = fmt::format(
      "{} events, {}/s, acknowledged {}, in flight {}, errors {}", FormatCount(stats.queued),
      FormatCount(static_cast<int64_t>(events_per_second + 0.5)), FormatCount(stats.acknowledged),
      FormatCount(stats.queued - stats.acknowledged - stats.failed), FormatCount(stats.failed));
  if (stats.failed > 0) line += " (" + stats.first_error + ")";
  return line;
}

ProgressDisplay::ProgressDisplay(bool silent, BootClock::time_point now)
    : silent_(silent), line_(kIntervals, now), shown_at_(now) {}

void ProgressDisplay::Show(const kafka::ProducerStats& stats, BootClock::time_point now) {
  const double seconds = std::chrono::duration<double>(now - shown_at_).count();
  const double rate = static_cast<double>(stats.queued - shown_queued_) / seconds;
  line_.Show(FormatProgress(stats, rate), now);
  shown_at_ = now;
  shown_queued_ = stats.queued;
}

}  // namespace shopstream::produce
