#include "lake/delta/retention.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <sstream>
#include <utility>
#include <vector>

#include "base/format.h"

namespace shopstream::lake {
namespace {

constexpr char kDeletedFileRetention[] = "delta.deletedFileRetentionDuration";
constexpr char kLogRetention[] = "delta.logRetentionDuration";
constexpr char kLogCleanUp[] = "delta.enableExpiredLogCleanup";
constexpr int64_t kHourMs = 3600 * 1000;
constexpr Millis kMostCommitAge = std::chrono::hours(12);
constexpr Millis kLeastCommitAge = std::chrono::seconds(10);

std::optional<double> UnitMillis(std::string unit) {
  static const std::map<std::string, double> kUnits = {
      {"microsecond", 0.001}, {"millisecond", 1},    {"second", 1000},          {"minute", 60'000},
      {"hour", kHourMs},      {"day", 24 * kHourMs}, {"week", 7 * 24 * kHourMs}};
  if (unit.ends_with('s')) unit.pop_back();
  const auto found = kUnits.find(unit);
  return found == kUnits.end() ? std::nullopt : std::optional(found->second);
}

// Only seconds may have a fraction (Spark's IntervalUtils.stringToInterval).
std::optional<double> Count(std::string_view text, bool negative, const std::string& unit) {
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos ||
      std::ranges::count(text, '.') > 1 || text == ".") {
    return std::nullopt;
  }
  if (text.find('.') != std::string_view::npos && !unit.starts_with("second")) return std::nullopt;
  std::string padded = text.front() == '.' ? "0" + std::string(text) : std::string(text);
  double value = 0;
  const char* end = padded.data() + padded.size();
  if (std::from_chars(padded.data(), end, value).ec != std::errc()) return std::nullopt;
  return negative ? -value : value;
}

Status TooShort(const Properties& properties) {
  return Status::Invalid("the property ", kDeletedFileRetention, "=",
                         properties.at(kDeletedFileRetention),
                         " lets other programs delete the files of a commit in progress: set "
                         "it to interval 1 hours or more");
}

}  // namespace

std::optional<int64_t> ParseInterval(std::string_view text) {
  std::istringstream in(ToLower(std::string(text)));
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(std::move(word));
  size_t at = !words.empty() && words[0] == "interval" ? 1 : 0;
  if (at == words.size()) return std::nullopt;
  double millis = 0;
  while (at < words.size()) {
    std::string number = words[at++];
    const bool negative = number.front() == '-';
    if (negative || number.front() == '+') number.erase(0, 1);
    // A sign may be a separate word.
    if (number.empty() && at < words.size()) number = words[at++];
    if (at == words.size()) return std::nullopt;
    const std::string& unit = words[at++];
    const auto unit_ms = UnitMillis(unit);
    const auto count = Count(number, negative, unit);
    if (!unit_ms || !count) return std::nullopt;
    millis += *count * *unit_ms;
  }
  if (millis < 0) return std::nullopt;
  return static_cast<int64_t>(std::min(millis, static_cast<double>(kKeepForEverMs)));
}

int64_t IntervalMillis(const Properties& properties, const std::string& name, int64_t otherwise) {
  const auto it = properties.find(name);
  if (it == properties.end()) return otherwise;
  return ParseInterval(it->second).value_or(kKeepForEverMs);
}

bool PropertyIs(const Properties& properties, const std::string& name, bool value) {
  const auto it = properties.find(name);
  return it != properties.end() && ToLower(it->second) == (value ? "true" : "false");
}

bool MayBeOn(const Properties& properties, const std::string& name) {
  return properties.contains(name) && !PropertyIs(properties, name, false);
}

std::vector<std::string> RetentionWarnings(const Properties& properties) {
  std::vector<std::string> warnings;
  const auto warn = [&](const std::string& name, const char* kind, const char* remedy) {
    warnings.push_back("the property " + name + "=" + properties.at(name) + " is " + kind +
                       ", so nothing is deleted by it; set it to " + remedy);
  };
  for (const char* name : {kDeletedFileRetention, kLogRetention}) {
    if (properties.contains(name) && !ParseInterval(properties.at(name))) {
      warn(name, "not a duration of fixed length", "one such as interval 7 days");
    }
  }
  if (properties.contains(kLogCleanUp) && !PropertyIs(properties, kLogCleanUp, true) &&
      !PropertyIs(properties, kLogCleanUp, false)) {
    warn(kLogCleanUp, "not a boolean", "true or false");
  }
  return warnings;
}

int64_t TombstoneRetentionMs(const Properties& properties) {
  return IntervalMillis(properties, kDeletedFileRetention, 7 * 24 * kHourMs);
}

Result<Millis> MaxCommitAge(const Properties& properties) {
  const Millis age = std::min(kMostCommitAge, Millis(TombstoneRetentionMs(properties) / 2));
  if (age >= kLeastCommitAge) return age;
  return TooShort(properties);
}

Status CheckTimeToCommit(const Properties& properties, Millis work) {
  ARROW_ASSIGN_OR_RAISE(const Millis age, MaxCommitAge(properties));
  return age >= work ? Status::OK() : TooShort(properties);
}

}  // namespace shopstream::lake
