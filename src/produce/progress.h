#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "kafka/producer.h"

namespace shopstream::produce {

// "1,234,567 events, 361,204/s, acknowledged 1,200,000, under way 34,567, errors 0"
std::string FormatProgress(const kafka::ProducerStats& stats, double events_per_second);

// Shows on stderr how far a producer is: in place several times a second on a terminal, otherwise
// as a line of the log every few seconds. One thread.
class ProgressDisplay {
 public:
  // Silent: shows nothing at all.
  ProgressDisplay(bool silent, BootClock::time_point now);
  // Whether it is time to show something; cheap.
  bool IsDue(BootClock::time_point now) const { return now >= due_at_; }
  void Show(const kafka::ProducerStats& stats, BootClock::time_point now);
  // Clears what was shown in place, so that what is printed next starts on a line of its own.
  void End();

 private:
  bool in_place_;
  bool shown_ = false;
  BootClock::duration interval_;
  BootClock::time_point due_at_;
  BootClock::time_point shown_at_;
  int64_t shown_queued_ = 0;
};

}  // namespace shopstream::produce
