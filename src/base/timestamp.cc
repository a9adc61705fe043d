#include "base/timestamp.h"

#include <chrono>
#include <optional>

namespace shopstream {
namespace {

constexpr int64_t kMillisPerMinute = 60'000;

// Reads from the front of a text; returns nothing for anything that does not match.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool AtEnd() const { return text_.empty(); }
  bool Word(std::string_view word) {
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  // One of these characters.
  std::optional<char> Any(std::string_view characters) {
    if (text_.empty() || characters.find(text_.front()) == text_.npos) return std::nullopt;
    const char found = text_.front();
    text_.remove_prefix(1);
    return found;
  }
  bool AtDigit() const { return !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; }
  // Exactly `count` digits, at most `most`.
  std::optional<int> Digits(int count, int most) {
    int value = 0;
    for (int i = 0; i < count; ++i) {
      const auto digit = Any("0123456789");
      if (!digit) return std::nullopt;
      value = value * 10 + (*digit - '0');
    }
    return value <= most ? std::optional(value) : std::nullopt;
  }

 private:
  std::string_view text_;
};

std::optional<int64_t> ScanDate(Scanner* scanner) {
  const auto year = scanner->Digits(4, 9999);
  if (!year || *year == 0) return std::nullopt;
  const bool extended = scanner->Any("-").has_value();
  const auto month = scanner->Digits(2, 12);
  if (!month || (extended && !scanner->Any("-"))) return std::nullopt;
  const auto day = scanner->Digits(2, 31);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::milliseconds(std::chrono::sys_days(date).time_since_epoch()).count();
}

std::optional<int64_t> ScanFraction(Scanner* scanner) {
  int64_t millis = 0, unit = 100;
  if (!scanner->Any(".,")) return millis;
  auto digit = scanner->Any("0123456789");
  if (!digit) return std::nullopt;
  for (; digit; digit = scanner->Any("0123456789"), unit /= 10) millis += unit * (*digit - '0');
  return millis;
}

// HH:MM, HH:MM:SS or HH:MM:SS.fff; the colons may be left out.
std::optional<int64_t> ScanTime(Scanner* scanner) {
  const auto hour = scanner->Digits(2, 23);
  if (!hour) return std::nullopt;
  const bool extended = scanner->Any(":").has_value();
  const auto minute = scanner->Digits(2, 59);
  if (!minute) return std::nullopt;
  const int64_t millis = (*hour * 60 + *minute) * kMillisPerMinute;
  if (extended ? !scanner->Any(":") : !scanner->AtDigit()) return millis;
  const auto second = scanner->Digits(2, 59);
  const auto fraction = second ? ScanFraction(scanner) : std::nullopt;
  if (!fraction) return std::nullopt;
  return millis + int64_t{*second} * 1000 + *fraction;
}

// Z, UTC, +HH:MM, +HHMM or +HH: the offset of local time ahead of UTC.
std::optional<int64_t> ScanOffset(Scanner* scanner) {
  if (scanner->Any("Zz") || scanner->Word("UTC")) return 0;
  const auto sign = scanner->Any("+-");
  const auto hour = sign ? scanner->Digits(2, 23) : std::nullopt;
  if (!hour) return std::nullopt;
  const bool more = scanner->Any(":").has_value() || scanner->AtDigit();
  const auto minute = more ? scanner->Digits(2, 59) : std::optional(0);
  if (!minute) return std::nullopt;
  const int64_t ahead = (*hour * 60 + *minute) * kMillisPerMinute;
  return *sign == '-' ? -ahead : ahead;
}

std::optional<IsoTime> Scan(std::string_view text) {
  Scanner scanner(text);
  const auto date = ScanDate(&scanner);
  if (!date) return std::nullopt;
  IsoTime found{.clock_millis = *date};
  if (scanner.AtEnd()) return found;
  if (!scanner.Any("Tt ")) return std::nullopt;
  const auto time = ScanTime(&scanner);
  if (!time) return std::nullopt;
  found.clock_millis += *time;
  if (scanner.AtEnd()) return found;
  scanner.Any(" ");
  found.offset_millis = ScanOffset(&scanner);
  if (!found.offset_millis || !scanner.AtEnd()) return std::nullopt;
  return found;
}

}  // namespace

Result<IsoTime> ParseIsoTime(std::string_view text) {
  if (const auto time = Scan(text)) return *time;
  return Status::Invalid("'", text, "' is not a time; write it as 2025-10-24T08:15:30Z");
}

Result<int64_t> ParseTimestamp(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(const IsoTime time, ParseIsoTime(text));
  return time.clock_millis - time.offset_millis.value_or(0);
}

}  // namespace shopstream
