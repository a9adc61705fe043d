#include "generate/time_pattern.h"

#include <array>
#include <chrono>
#include <set>

#include "base/format.h"

namespace shopstream::generate {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};

struct Clock {
  int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0, millis = 0;
  bool half_day = false, afternoon = false;
  std::optional<int64_t> offset_millis;
};

// Reads fields from the front of a text.
class FieldScanner {
 public:
  explicit FieldScanner(std::string_view text) : text_(text) {}

  bool AtEnd() const { return text_.empty(); }

  bool Literal(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }

  // From `fewest` to `most` digits, with a value within the bounds.
  bool Number(int fewest, int most, int least, int greatest, int* value) {
    int digits = 0;
    *value = 0;
    while (digits < most && !text_.empty() && text_[0] >= '0' && text_[0] <= '9') {
      *value = *value * 10 + (text_[0] - '0');
      text_.remove_prefix(1);
      ++digits;
    }
    return digits >= fewest && *value >= least && *value <= greatest;
  }

  bool Fraction(int* millis) {
    const size_t before = text_.size();
    int value = 0;
    if (!Number(1, 9, 0, 999'999'999, &value)) return false;
    for (size_t digits = before - text_.size(); digits < 9; ++digits) value *= 10;
    *millis = value / 1'000'000;
    return true;
  }

  bool Month(int* month) {
    size_t letters = 0;
    while (letters < text_.size() &&
           ((text_[letters] | 32) >= 'a' && (text_[letters] | 32) <= 'z')) {
      ++letters;
    }
    const std::string name = ToLower(std::string(text_.substr(0, letters)));
    for (size_t i = 0; i < kMonths.size(); ++i) {
      if (name != kMonths[i] && name != kMonths[i].substr(0, 3)) continue;
      *month = static_cast<int>(i) + 1;
      text_.remove_prefix(letters);
      return true;
    }
    return false;
  }

  bool HalfOfDay(bool* afternoon) {
    const std::string name = ToLower(std::string(text_.substr(0, 2)));
    if (name != "am" && name != "pm") return false;
    *afternoon = name == "pm";
    text_.remove_prefix(2);
    return true;
  }

  bool Offset(std::optional<int64_t>* millis) {
    if (Literal('Z')) {
      *millis = 0;
      return true;
    }
    const bool west = Literal('-');
    int hours = 0, minutes = 0;
    if ((!west && !Literal('+')) || !Number(2, 2, 0, 23, &hours)) return false;
    const bool colon = Literal(':');
    const bool more = !text_.empty() && text_[0] >= '0' && text_[0] <= '9';
    if ((colon || more) && !Number(2, 2, 0, 59, &minutes)) return false;
    const int64_t ahead = (int64_t{hours} * 60 + minutes) * 60'000;
    *millis = west ? -ahead : ahead;
    return true;
  }

  bool Field(char field, Clock* clock) {
    switch (field) {
      case 'Y':
        return Number(4, 4, 1, 9999, &clock->year);
      case 'y':
        if (!Number(2, 2, 0, 99, &clock->year)) return false;
        clock->year += clock->year < 69 ? 2000 : 1900;
        return true;
      case 'm':
        return Number(1, 2, 1, 12, &clock->month);
      case 'b':
        return Month(&clock->month);
      case 'd':
        return Number(1, 2, 1, 31, &clock->day);
      case 'H':
        return Number(1, 2, 0, 23, &clock->hour);
      case 'I':
        clock->half_day = true;
        return Number(1, 2, 1, 12, &clock->hour);
      case 'M':
        return Number(1, 2, 0, 59, &clock->minute);
      case 'S':
        return Number(1, 2, 0, 59, &clock->second);
      case 'f':
        return Fraction(&clock->millis);
      case 'p':
        return HalfOfDay(&clock->afternoon);
      default:
        return Offset(&clock->offset_millis);
    }
  }

 private:
  std::string_view text_;
};

std::optional<IsoTime> TimeOf(const Clock& clock) {
  const std::chrono::year_month_day date{std::chrono::year{clock.year},
                                         std::chrono::month(static_cast<unsigned>(clock.month)),
                                         std::chrono::day(static_cast<unsigned>(clock.day))};
  if (!date.ok()) return std::nullopt;
  const int hour = clock.half_day ? clock.hour % 12 + (clock.afternoon ? 12 : 0) : clock.hour;
  const std::chrono::milliseconds time =
      std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(hour) +
      std::chrono::minutes(clock.minute) + std::chrono::seconds(clock.second);
  return IsoTime{time.count() + clock.millis, clock.offset_millis};
}

Status CheckPattern(const std::string& pattern, const std::set<char>& fields) {
  const auto has = [&](char field) { return fields.contains(field); };
  const auto wrong = [&](const char* what) {
    return Status::Invalid("the time format '", pattern, "' ", what);
  };
  if (has('Y') == has('y')) return wrong("needs the year: one of %Y and %y");
  if (has('m') == has('b')) return wrong("needs the month: one of %m and %b");
  if (!has('d')) return wrong("needs the day: %d");
  if (has('H') && has('I')) return wrong("has the hour twice: %H and %I");
  if (has('I') != has('p')) return wrong("needs both %I and %p, or neither");
  return Status::OK();
}

}  // namespace

Result<TimePattern> TimePattern::Compile(const std::string& pattern) {
  TimePattern compiled;
  compiled.text_ = pattern;
  std::set<char> seen;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      compiled.items_.push_back({.field = 0, .literal = pattern[i]});
      continue;
    }
    const char field = ++i < pattern.size() ? pattern[i] : ' ';
    if (field == '%') {
      compiled.items_.push_back({.field = 0, .literal = '%'});
      continue;
    }
    if (std::string_view("YymbdHIpMSfz").find(field) == std::string_view::npos) {
      return Status::Invalid("the time format '", pattern, "' has an unknown '%", field,
                             "' (there are %Y %y %m %b %d %H %I %p %M %S %f %z %%)");
    }
    if (!seen.insert(field).second) {
      return Status::Invalid("the time format '", pattern, "' has %", field, " twice");
    }
    compiled.items_.push_back({.field = field, .literal = 0});
  }
  ARROW_RETURN_NOT_OK(CheckPattern(pattern, seen));
  return compiled;
}

std::optional<IsoTime> TimePattern::Parse(std::string_view text) const {
  FieldScanner scanner(text);
  Clock clock;
  for (const Item& item : items_) {
    const bool matches =
        item.field == 0 ? scanner.Literal(item.literal) : scanner.Field(item.field, &clock);
    if (!matches) return std::nullopt;
  }
  if (!scanner.AtEnd()) return std::nullopt;
  return TimeOf(clock);
}

}  // namespace shopstream::generate
