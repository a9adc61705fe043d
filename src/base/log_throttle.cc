#include "base/log_throttle.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace shopstream {

namespace {

constexpr size_t kShortestId = 12;

bool IsOfId(char c) { return c == '-' || std::isxdigit(static_cast<unsigned char>(c)) != 0; }

// True after the digits of a duration: "212 ms", "10 s", but not "12 sheep".
bool IsUnit(std::string_view after) {
  if (after.starts_with(" ms")) return true;
  return after.starts_with(" s") && (after.size() == 2 || std::isalpha(after[2]) == 0);
}

// The end of the run of characters from `begin` for which `is` is true.
template <typename Is>
size_t EndOf(std::string_view text, size_t begin, Is is) {
  while (begin < text.size() && is(text[begin])) ++begin;
  return begin;
}

}  // namespace

std::string KindOfLine(std::string_view text) {
  std::string kind;
  for (size_t at = 0; at < text.size();) {
    const size_t digits = EndOf(text, at, [](char c) { return std::isdigit(c) != 0; });
    const std::string_view after = text.substr(digits, 3);
    const size_t id = EndOf(text, at, IsOfId);
    if (digits > at && IsUnit(after)) {
      kind += '*';
      at = digits;
    } else if (id - at >= kShortestId) {
      kind += '*';
      at = id;
    } else {
      kind += text.substr(at, std::max<size_t>(1, id - at));
      at = std::max(at + 1, id);
    }
  }
  return kind;
}

std::optional<int> LogThrottle::Pass(std::string_view kind, Millis hold,
                                     BootClock::time_point now) {
  if (kinds_.size() >= kMaxKinds) kinds_.clear();
  Kind& seen = kinds_.try_emplace(std::string(kind), Kind{now, now}).first->second;
  // A line that passed is remembered for the interval, so that one kind never passes twice in it.
  const bool over = now - seen.last > kOver && (!seen.passed || now - *seen.passed >= interval_);
  if (over) seen = {now, now, std::nullopt, seen.held_back};
  seen.last = now;
  const bool due = seen.passed ? now - *seen.passed >= interval_ : now - seen.first >= hold;
  if (!due) {
    ++seen.held_back;
    return std::nullopt;
  }
  seen.passed = now;
  return std::exchange(seen.held_back, 0);
}

}  // namespace shopstream
