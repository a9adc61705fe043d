#pragma once

#include <string>

#include "base/clock.h"

namespace shopstream {

// Progress of a long command on stderr: updated in place on a terminal, otherwise an occasional log
// line. One thread.
class ProgressLine {
 public:
  struct Intervals {
    Millis in_place;
    Millis logged;
  };
  ProgressLine(Intervals intervals, BootClock::time_point now);
  // Whether it is time for the next line; cheap.
  bool IsDue(BootClock::time_point now) const { return now >= due_at_; }
  void Show(const std::string& line, BootClock::time_point now);
  // Clears the line in place, so that the next output starts on its own line.
  void End();

 private:
  const bool in_place_;
  const Millis interval_;
  BootClock::time_point due_at_;
  bool shown_ = false;
};

}  // namespace shopstream
