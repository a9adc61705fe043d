#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/progress_line.h"
#include "kafka/producer.h"

namespace shopstream::produce {

// "1,234,567 events, 361,204/s, acknowledged 1,200,000, in flight 34,567, errors 0"
std::string FormatProgress(const kafka::ProducerStats& stats, double events_per_second);

// Shows a producer's progress. One thread.
class ProgressDisplay {
 public:
  // If silent, shows nothing.
  ProgressDisplay(bool silent, BootClock::time_point now);
  bool IsDue(BootClock::time_point now) const { return !silent_ && line_.IsDue(now); }
  void Show(const kafka::ProducerStats& stats, BootClock::time_point now);
  void End() { line_.End(); }

 private:
  const bool silent_;
  ProgressLine line_;
  BootClock::time_point shown_at_;
  int64_t shown_queued_ = 0;
};

}  // namespace shopstream::produce
