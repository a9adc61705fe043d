#include "base/time_zone.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace shopstream {
namespace {

// A zone file of version 2 or later is
//
//   file := header block32 header block64 footer
//   header := "TZif" version:1 unused:15 isut std leap times types letters  (six 4-byte counts)
//   block := times x time:(4|8), times x type:1, types x (offset:4 isdst:1 letter:1),
//            letters:1, leap x (time:(4|8) + 4), std:1, isut:1
//   footer := "\n" POSIX-TZ "\n"
//
// with big-endian numbers. The 64-bit block repeats what the first one has.
constexpr size_t kHeaderBytes = 44;
constexpr int64_t kDay = 86'400;
constexpr int64_t kCycle = 146'097 * kDay;  // 400 years: dates and weekdays repeat.

int64_t BigEndian(std::string_view bytes) {
  int64_t value = (bytes[0] & 0x80) != 0 ? -1 : 0;
  for (const char byte : bytes) value = value * 256 + static_cast<unsigned char>(byte);
  return value;
}

struct Header {
  int64_t isut, std, leap, times, types, letters;

  static std::optional<Header> Read(std::string_view bytes) {
    if (bytes.size() < kHeaderBytes || bytes.substr(0, 4) != "TZif" || bytes[4] < '2') return {};
    const auto count = [&](int i) { return BigEndian(bytes.substr(20 + 4 * i, 4)); };
    const Header header = {count(0), count(1), count(2), count(3), count(4), count(5)};
    for (int i = 0; i < 6; ++i) {
      if (count(i) < 0 || count(i) > 100'000) return {};
    }
    return header;
  }
  int64_t BlockBytes(int64_t time_bytes) const {
    return times * (time_bytes + 1) + types * 6 + letters + leap * (time_bytes + 4) + std + isut;
  }
};

struct Transition {
  int64_t utc = 0;
  int64_t offset = 0;  // From then on.
};

struct Block {
  int64_t first_offset = 0;
  std::vector<Transition> transitions;
  std::string_view footer;
};

std::optional<Block> ReadBlock(std::string_view file) {
  const auto small = Header::Read(file);
  if (!small) return {};
  const auto begin = kHeaderBytes + static_cast<size_t>(small->BlockBytes(4));
  if (file.size() < begin) return {};
  file.remove_prefix(begin);
  const auto header = Header::Read(file);
  if (!header || header->types == 0) return {};
  const auto block_bytes = static_cast<size_t>(header->BlockBytes(8));
  if (file.size() < kHeaderBytes + block_bytes) return {};
  const std::string_view times = file.substr(kHeaderBytes);
  const std::string_view kinds = times.substr(static_cast<size_t>(header->times) * 8);
  const std::string_view types = kinds.substr(static_cast<size_t>(header->times));
  const auto offset_of = [&](size_t type) { return BigEndian(types.substr(type * 6, 4)); };
  Block block{.first_offset = offset_of(0), .transitions = {}, .footer = {}};
  for (size_t i = 0; i < static_cast<size_t>(header->times); ++i) {
    const size_t type = static_cast<unsigned char>(kinds[i]);
    if (type >= static_cast<size_t>(header->types)) return {};
    block.transitions.push_back({BigEndian(times.substr(i * 8, 8)), offset_of(type)});
  }
  block.footer = times.substr(block_bytes);
  if (!block.footer.starts_with('\n') || !block.footer.ends_with('\n')) return {};
  if (block.footer.size() < 2) return {};
  block.footer = block.footer.substr(1, block.footer.size() - 2);
  return block;
}

// A day of the year: Mmonth.week.day, Jn or n, and the local time of day.
struct RuleDay {
  char form = 'M';
  int64_t month = 0, week = 0, day = 0;
  int64_t seconds = 7200;

  // Seconds since 1970 of the local clock.
  int64_t In(int year) const {
    using std::chrono::sys_days;
    const std::chrono::year y{year};
    sys_days date;
    if (form == 'M') {
      const std::chrono::weekday weekday(static_cast<unsigned>(day));
      const auto m = y / std::chrono::month(static_cast<unsigned>(month));
      date = week == 5 ? sys_days(m / weekday[std::chrono::last])
                       : sys_days(m / weekday[static_cast<unsigned>(week)]);
    } else {
      // Jn counts from 1 and never counts 29 February.
      const bool leaps = form == 'J' && y.is_leap() && day >= 60;
      date = sys_days(y / 1 / 1) + std::chrono::days(form == 'J' ? day - 1 + leaps : day);
    }
    return date.time_since_epoch().count() * kDay + seconds;
  }
};

struct Rule {
  int64_t standard = 0;
  std::optional<int64_t> summer;
  RuleDay begins, ends;  // When summer time begins and ends.
};

// POSIX TZ: "GMT0BST,M3.5.0/1,M10.5.0".
class RuleScanner {
 public:
  explicit RuleScanner(std::string_view text) : text_(text) {}

  std::optional<Rule> Scan() {
    Rule rule;
    const auto west = Name() ? Time() : std::nullopt;
    if (!west) return {};
    rule.standard = -*west;
    if (text_.empty()) return rule;
    if (!Name()) return {};
    rule.summer = rule.standard + 3600;
    if (!text_.starts_with(',')) {
      const auto summer_west = Time();
      if (!summer_west) return {};
      rule.summer = -*summer_west;
    }
    const auto begins = Day(), ends = Day();
    if (!begins || !ends || !text_.empty()) return {};
    rule.begins = *begins;
    rule.ends = *ends;
    return rule;
  }

 private:
  bool Skip(char c) {
    const bool found = text_.starts_with(c);
    text_.remove_prefix(found ? 1 : 0);
    return found;
  }
  bool Name() {
    const bool quoted = Skip('<');
    const auto size =
        std::min(quoted ? text_.find('>') : text_.find_first_of("+-,0123456789"), text_.size());
    text_.remove_prefix(size);
    return size > 0 && (!quoted || Skip('>'));
  }
  std::optional<int64_t> Number(int64_t most) {
    const size_t size = std::min(text_.find_first_not_of("0123456789"), text_.size());
    if (size == 0 || size > 3) return {};
    int64_t value = 0;
    for (const char c : text_.substr(0, size)) value = value * 10 + (c - '0');
    text_.remove_prefix(size);
    return value <= most ? std::optional(value) : std::nullopt;
  }
  // [+-]h[h][:mm[:ss]] in seconds.
  std::optional<int64_t> Time() {
    const bool negative = Skip('-');
    if (!negative) Skip('+');
    int64_t seconds = 0;
    for (const int64_t unit : {3600, 60, 1}) {
      if (unit < 3600 && !Skip(':')) break;
      const auto number = Number(unit == 3600 ? 167 : 59);
      if (!number) return {};
      seconds += *number * unit;
    }
    return negative ? -seconds : seconds;
  }
  std::optional<RuleDay> Day() {
    if (!Skip(',')) return {};
    RuleDay day;
    day.form = Skip('M') ? 'M' : Skip('J') ? 'J' : '0';
    const auto first = Number(day.form == 'M' ? 12 : 365);
    if (!first) return {};
    if (day.form == 'M') {
      const auto week = Skip('.') ? Number(5) : std::nullopt;
      const auto weekday = Skip('.') ? Number(6) : std::nullopt;
      if (!week || !weekday || *first == 0 || *week == 0) return {};
      day.month = *first;
      day.week = *week;
      day.day = *weekday;
    } else {
      day.day = *first;
    }
    if (Skip('/')) {
      const auto seconds = Time();
      if (!seconds) return {};
      day.seconds = *seconds;
    }
    return day;
  }

  std::string_view text_;
};

int YearOf(int64_t seconds) {
  const auto days = std::chrono::floor<std::chrono::days>(std::chrono::seconds(seconds));
  return static_cast<int>(std::chrono::year_month_day(std::chrono::sys_days(days)).year());
}

// Continues the transitions by the rule for 400 years.
void Extend(const Rule& rule, std::vector<Transition>* transitions) {
  const int64_t last = transitions->empty() ? 0 : transitions->back().utc;
  // The last transition, or the first offset if there is none, applies forever.
  if (!rule.summer) return;
  std::vector<Transition> made;
  const int first_year = YearOf(last);
  for (int year = first_year; year <= first_year + 401; ++year) {
    made.push_back({rule.begins.In(year) - rule.standard, *rule.summer});
    made.push_back({rule.ends.In(year) - *rule.summer, rule.standard});
  }
  std::sort(made.begin(), made.end(),
            [](const Transition& a, const Transition& b) { return a.utc < b.utc; });
  for (const Transition& transition : made) {
    if (transitions->empty() || transition.utc > last) transitions->push_back(transition);
  }
}

}  // namespace

Result<TimeZone> TimeZone::Parse(std::string_view file, const std::string& name) {
  auto block = ReadBlock(file);
  const auto rule =
      block && !block->footer.empty() ? RuleScanner(block->footer).Scan() : std::optional<Rule>();
  if (!block || (!block->footer.empty() && !rule)) {
    return Status::Invalid("zone ", name, ": its file is not a zone file of version 2 or later");
  }
  if (rule && block->transitions.empty()) block->first_offset = rule->standard;
  if (rule) Extend(*rule, &block->transitions);
  TimeZone zone;
  zone.first_offset_ = block->first_offset;
  zone.repeats_ = rule && rule->summer;
  int64_t before = zone.first_offset_;
  for (const Transition& transition : block->transitions) {
    // The new offset counts once the local clock shows what neither offset had shown before.
    zone.changes_.push_back(
        {transition.utc + std::max(before, transition.offset), transition.offset});
    before = transition.offset;
  }
  return zone;
}

Result<TimeZone> TimeZone::Load(const std::string& name) {
  if (name == "UTC") return TimeZone();
  const char* set = std::getenv("TZDIR");
  const std::filesystem::path folder = set != nullptr ? set : "/usr/share/zoneinfo";
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    return Status::Invalid("zone ", name, ": there is no ", folder.string(), ": install tzdata");
  }
  const std::filesystem::path path = folder / name;
  const bool inside = !name.empty() && name.front() != '/' && name.find("..") == name.npos;
  if (!inside || !std::filesystem::is_regular_file(path, error)) {
    return Status::Invalid("there is no zone '", name, "' in ", folder.string(),
                           "; write a zone as, for example, Europe/Lisbon");
  }
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  if (!stream) return Status::Invalid("zone ", name, ": ", path.string(), " cannot be read");
  return Parse(bytes.str(), name);
}

int64_t TimeZone::ToUtc(int64_t local_seconds) const {
  int64_t cycles = 0;
  if (repeats_ && local_seconds > changes_.back().local_from) {
    cycles = (local_seconds - changes_.back().local_from + kCycle - 1) / kCycle;
  }
  const int64_t within = local_seconds - cycles * kCycle;
  const auto after =
      std::upper_bound(changes_.begin(), changes_.end(), within,
                       [](int64_t time, const Change& change) { return time < change.local_from; });
  return local_seconds - (after == changes_.begin() ? first_offset_ : std::prev(after)->offset);
}

}  // namespace shopstream
