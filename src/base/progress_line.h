#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace shopstream {

// How far a long command is, on stderr: one line in place on a terminal, elsewhere a line of the
// log now and then. One thread.
class ProgressLine {
 public:
  struct Intervals {
    Millis in_place;
    Millis logged;
  };
  ProgressLine(Intervals intervals, BootClock::time_point now);
  // Whether it is time to show something; cheap.
  bool IsDue(BootClock::time_point now) const { return now >= due_at_; }
  void Show(const std::string& line, BootClock::time_point now);
  // Clears what was shown in place, so that what is printed next starts on a line of its own.
  void End();

 private:
  const bool in_place_;
  const Millis interval_;
  BootClock::time_point due_at_;
  bool shown_ = false;
};

// The first `columns` characters of a UTF-8 text: a line that wraps could not be written over.
std::string_view FirstColumns(std::string_view text, int columns);

}  // namespace shopstream
