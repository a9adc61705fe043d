#include "records/read_start.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>

#include "base/number.h"
#include "base/timestamp.h"

namespace shopstream::records {
namespace {

using Form = ReadStart::Form;

template <typename T>
std::optional<T> ParseDigits(std::string_view text) {
  return text.starts_with('-') ? std::nullopt : ParseWhole<T>(text);
}

int64_t BeginOf(const kafka::OffsetSpan& span, const ReadStart& start, int64_t at_time) {
  // Subtracting cannot overflow: no operand is negative.
  switch (start.form) {
    case Form::kStart:
      return span.log_start;
    case Form::kEnd:
      return span.end;
    case Form::kOffset:
      return start.number;
    case Form::kAfterStart:
      return start.number > span.end - span.log_start ? span.end : span.log_start + start.number;
    case Form::kBeforeEnd:
      return span.end - start.number;
    case Form::kTime:
      return at_time < 0 ? span.end : at_time;
  }
  return span.end;
}

}  // namespace

int64_t OffsetOf(const kafka::OffsetSpan& span, const ReadStart& start, int64_t at_time) {
  return std::clamp(BeginOf(span, start, at_time), span.log_start, span.end);
}

Result<ReadStart> ParseReadStart(const std::string& text) {
  if (text == "start") return ReadStart{Form::kStart, 0};
  if (text == "end") return ReadStart{Form::kEnd, 0};
  const std::string_view rest = std::string_view(text).substr(std::min<size_t>(1, text.size()));
  if (text.starts_with('@')) {
    if (const auto millis = ParseDigits<int64_t>(rest); millis && rest.size() != 8) {
      return ReadStart{Form::kTime, *millis};
    }
    const auto millis = ParseTimestamp(rest);
    if (millis.ok() && *millis >= 0) return ReadStart{Form::kTime, *millis};
  }
  if (text.starts_with('+') || text.starts_with('-')) {
    const auto number = ParseDigits<int64_t>(rest);
    const Form form = text.starts_with('+') ? Form::kAfterStart : Form::kBeforeEnd;
    if (number) return ReadStart{form, *number};
  }
  if (const auto offset = ParseDigits<int64_t>(text)) return ReadStart{Form::kOffset, *offset};
  return Status::Invalid("'", text, "' is not one of start, end, an offset, +N (after the start), ",
                         "-N (before the end) and @TIME (milliseconds or 2025-10-24T08:15:30Z)");
}

Result<std::vector<int32_t>> ParsePartitions(const std::string& text) {
  std::vector<int32_t> partitions;
  std::string_view rest = text;
  while (true) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const auto partition = ParseDigits<int32_t>(rest.substr(0, comma));
    if (!partition) {
      return Status::Invalid("'", text, "' is not a partition, such as 1, or several, such as 0,2");
    }
    partitions.push_back(*partition);
    if (comma == rest.size()) break;
    rest.remove_prefix(comma + 1);
  }
  std::sort(partitions.begin(), partitions.end());
  partitions.erase(std::unique(partitions.begin(), partitions.end()), partitions.end());
  return partitions;
}

std::vector<OffsetRange> ChooseRanges(const std::map<int32_t, kafka::OffsetSpan>& spans,
                                      const ReadStart& start,
                                      const std::map<int32_t, int64_t>& times, bool to_end) {
  std::vector<OffsetRange> ranges;
  for (const auto& [partition, span] : spans) {
    const auto time = times.find(partition);
    const int64_t begin = OffsetOf(span, start, time == times.end() ? -1 : time->second);
    const int64_t end = to_end ? span.end : std::numeric_limits<int64_t>::max();
    if (begin < end) ranges.push_back({partition, begin, end});
  }
  return ranges;
}

}  // namespace shopstream::records
