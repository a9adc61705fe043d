#include "base/progress_line.h"

#include <unistd.h>

#include <iostream>
#include <string_view>

#include "base/log.h"
#include "base/terminal.h"

namespace shopstream {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";

}  // namespace

ProgressLine::ProgressLine(Intervals intervals, BootClock::time_point now)
    : in_place_(isatty(STDERR_FILENO) == 1 && Log::IsText()),
      interval_(in_place_ ? intervals.in_place : intervals.logged),
      due_at_(now + interval_) {}

void ProgressLine::Show(const std::string& line, BootClock::time_point now) {
  due_at_ = now + interval_;
  if (!in_place_) {
    Log::Info("{}", line);
    return;
  }
  shown_ = true;
  std::cerr << kClearLine << FirstColumns(line, StyleOf(STDERR_FILENO).columns - 1) << std::flush;
}

void ProgressLine::End() {
  if (shown_) std::cerr << kClearLine << std::flush;
}

}  // namespace shopstream
