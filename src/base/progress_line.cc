#include "base/progress_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <iostream>

#include "base/log.h"

namespace shopstream {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";
constexpr int kUsualColumns = 80;

// The terminal's current width, which may change at any time.
int TerminalColumns() {
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kUsualColumns;
}

}  // namespace

ProgressLine::ProgressLine(Intervals intervals, BootClock::time_point now)
    : in_place_(isatty(STDERR_FILENO) == 1),
      interval_(in_place_ ? intervals.in_place : intervals.logged),
      due_at_(now + interval_) {}

void ProgressLine::Show(const std::string& line, BootClock::time_point now) {
  due_at_ = now + interval_;
  if (!in_place_) {
    Log::Info("{}", line);
    return;
  }
  shown_ = true;
  std::cerr << kClearLine << FirstColumns(line, TerminalColumns() - 1) << std::flush;
}

void ProgressLine::End() {
  if (shown_) std::cerr << kClearLine << std::flush;
}

std::string_view FirstColumns(std::string_view text, int columns) {
  size_t end = 0;
  for (; end < text.size(); ++end) {
    const bool begins_character = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
    if (begins_character && columns-- <= 0) break;
  }
  return text.substr(0, end);
}

}  // namespace shopstream
