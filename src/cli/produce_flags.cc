#include "cli/produce_flags.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <iostream>
#include <optional>
#include <string_view>
#include <utility>

#include "base/format.h"
#include "base/json.h"
#include "base/log.h"

namespace shopstream::cli {
namespace {

// The whole text as a number, or an error of std::from_chars.
template <typename T>
std::errc ParseNumber(std::string_view text, T* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc{} && end != text.data() + text.size() ? std::errc::invalid_argument
                                                                  : error;
}

int64_t CountOf(const generate::SkippedRows& skipped) {
  int64_t count =
      skipped.filtered + skipped.lines.with_fewer_values + skipped.lines.with_more_values;
  for (const auto& [field, rows] : skipped.missing) count += rows;
  return count;
}

void PrintLine(const produce::ProduceSummary& summary,
               const std::optional<generate::SkippedRows>& skipped) {
  std::string line = fmt::format(
      "{} in {:.1f} s ({}/s, {}): acknowledged {}, failed {}", Counted(summary.events, "event"),
      summary.seconds, FormatCount(std::llround(summary.rate())), FormatBytes(summary.bytes),
      FormatCount(summary.acknowledged), FormatCount(summary.failed));
  for (const auto& [name, count] :
       {std::pair{"malformed", summary.malformed}, std::pair{"late", summary.late},
        std::pair{"duplicates", summary.duplicates}}) {
    if (count > 0) line += fmt::format(", {} {}", name, FormatCount(count));
  }
  const std::string described = skipped ? DescribeSkipped(*skipped) : "";
  if (!described.empty()) line += "; " + described;
  std::cout << line << (summary.interrupted ? "; stopped by a signal" : "") << "\n";
}

nlohmann::ordered_json ToJson(const generate::SkippedRows& skipped) {
  return {{"filtered", skipped.filtered},
          {"missing", nlohmann::ordered_json(skipped.missing)},
          {"short_lines", skipped.lines.with_fewer_values},
          {"long_lines", skipped.lines.with_more_values}};
}

}  // namespace

std::string DescribeSkipped(const generate::SkippedRows& skipped) {
  const int64_t count = CountOf(skipped);
  if (count == 0) return "";
  std::string parts;
  const auto add = [&](const std::string& name, int64_t rows) {
    if (rows == 0) return;
    parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", name, FormatCount(rows));
  };
  add("filtered", skipped.filtered);
  for (const auto& [field, rows] : skipped.missing) add("without " + field, rows);
  add("short lines", skipped.lines.with_fewer_values);
  add("long lines", skipped.lines.with_more_values);
  return fmt::format("skipped {} ({})", Counted(count, "row"), parts);
}

Result<Millis> ParseDuration(const std::string& text) {
  constexpr std::pair<std::string_view, int64_t> kUnits[] = {
      {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
  for (const auto& [unit, millis] : kUnits) {
    if (!text.ends_with(unit)) continue;
    double value = 0;
    const std::string_view number(text.data(), text.size() - unit.size());
    if (ParseNumber(number, &value) != std::errc{}) continue;
    const double total = value * static_cast<double>(millis);
    // A year: far longer than any run, and far below the limits of clock arithmetic.
    if (total >= 1 && total <= 366 * 86'400'000.0) return Millis{std::llround(total)};
  }
  return Status::Invalid("'", text, "' is not a duration; write it as 500ms, 60s, 5m or 2h");
}

std::string CheckPositiveNumber(const std::string& text) {
  // Outside these bounds no clock can measure the difference, and its arithmetic would overflow.
  constexpr double kLeast = 1e-6, kMost = 1e9;
  double value = 0;
  if (ParseNumber(text, &value) == std::errc{} && value >= kLeast && value <= kMost) return "";
  return "'" + text + "' is not a number from 0.000001 to 1000000000";
}

std::string CheckPositiveCount(const std::string& text) {
  int64_t value = 0;
  if (ParseNumber(text, &value) == std::errc{} && value > 0) return "";
  return "'" + text + "' is not a whole number above zero";
}

std::string CheckSeed(const std::string& text) {
  uint64_t value = 0;
  if (ParseNumber(text, &value) == std::errc{}) return "";
  return "'" + text + "' is not a seed: a whole number from 0 to 18446744073709551615";
}

Option RateOption(produce::ProduceOptions* options) {
  return {.name = "--rate",
          .target = &options->rate,
          .meaning = "Events per second [as fast as possible]",
          .value = "R",
          .check = CheckPositiveNumber};
}

Result<int> ProduceAndReport(const Context& context, generate::EventSource* source,
                             const produce::ProduceOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const produce::ProduceSummary summary,
                        produce::Produce(source, context.config, options));
  if (context.json) {
    nlohmann::ordered_json json = produce::ToJson(summary);
    if (const auto skipped = source->skipped()) json["skipped"] = ToJson(*skipped);
    std::cout << DumpJson(json) << "\n";
  } else {
    PrintLine(summary, source->skipped());
  }
  if (summary.failed == 0) return kDone;
  Log::Error("{} of {} were not delivered; the first: {}", FormatCount(summary.failed),
             Counted(summary.events, "event"), summary.first_error);
  return kFailed;
}

}  // namespace shopstream::cli
