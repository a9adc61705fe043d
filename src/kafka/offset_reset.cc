#include "kafka/offset_reset.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/number.h"

namespace shopstream::kafka {
namespace {

std::string SpanWords(const OffsetSpan& span) {
  return std::to_string(span.log_start) + " to " + std::to_string(span.end);
}

// The offset that is asked for. Nothing: the target names none for this partition.
std::optional<int64_t> AskedOffset(const TopicPartition& at, const ResetTarget& target,
                                   const OffsetSpan& span, int64_t at_time) {
  switch (target.kind) {
    case ResetTarget::Kind::kEarliest:
      return span.log_start;
    case ResetTarget::Kind::kLatest:
      return span.end;
    case ResetTarget::Kind::kTime:
      // The end may be that of the last finished transaction, below a later record.
      return at_time < 0 ? span.end : std::clamp(at_time, span.log_start, span.end);
    case ResetTarget::Kind::kOffset:
      return target.number;
    case ResetTarget::Kind::kListed:
      break;
  }
  const auto listed = target.listed.find(at);
  return listed == target.listed.end() ? std::nullopt : std::optional(listed->second);
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// "topic,0,42"
std::optional<std::pair<TopicPartition, int64_t>> ParseOffsetLine(std::string_view line) {
  const size_t second = line.rfind(',');
  if (second == std::string_view::npos || second == 0) return std::nullopt;
  const size_t first = line.rfind(',', second - 1);
  if (first == std::string_view::npos) return std::nullopt;
  std::string_view topic = Trimmed(line.substr(0, first));
  if (topic.size() >= 2 && topic.front() == '"' && topic.back() == '"') {
    topic = topic.substr(1, topic.size() - 2);
  }
  const auto partition = ParseWhole<int32_t>(Trimmed(line.substr(first + 1, second - first - 1)));
  const auto offset = ParseWhole<int64_t>(Trimmed(line.substr(second + 1)));
  const bool has_topic = !topic.empty() && topic.find_first_of(",\" ") == std::string_view::npos;
  if (!has_topic || !partition || !offset || *partition < 0 || *offset < 0) return std::nullopt;
  return std::pair(TopicPartition{std::string(topic), *partition}, *offset);
}

}  // namespace

OffsetReset PlanReset(const TopicPartition& at, const ResetTarget& target,
                      const ResetFacts& facts) {
  OffsetReset reset{at, facts.committed, std::nullopt, std::nullopt, ""};
  if (!facts.span.ok()) {
    reset.note = facts.span.status().message();
    return reset;
  }
  reset.span = *facts.span;
  if (target.kind == ResetTarget::Kind::kTime && !facts.at_time.ok()) {
    reset.note = facts.at_time.status().message();
    return reset;
  }
  const auto asked = AskedOffset(at, target, *facts.span, facts.at_time.ok() ? *facts.at_time : -1);
  if (!asked) {
    reset.note = "no offset is given for it";
  } else if (*asked < facts.span->log_start || *asked > facts.span->end) {
    reset.note =
        "Kafka does not have offset " + std::to_string(*asked) + ", only " + SpanWords(*facts.span);
  } else {
    reset.after = asked;
    if (target.kind == ResetTarget::Kind::kTime && *facts.at_time < 0) {
      reset.note = "no record is that late: the end";
    }
  }
  return reset;
}

Result<std::map<TopicPartition, int64_t>> ParseOffsetFile(const std::string& text,
                                                          const std::string& name) {
  std::map<TopicPartition, int64_t> offsets;
  std::string_view rest = text;
  for (int number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = Trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty() || line.front() == '#') continue;
    if (number == 1 && line == "topic,partition,offset") continue;
    const auto parsed = ParseOffsetLine(line);
    if (!parsed) {
      return Status::Invalid(name, ":", number, ": expected topic,partition,offset, such as ",
                             "clicks,0,4711");
    }
    if (!offsets.insert(*parsed).second) {
      return Status::Invalid(name, ":", number, ": ", parsed->first.topic, " [",
                             parsed->first.partition, "] is listed twice");
    }
  }
  if (offsets.empty()) return Status::Invalid(name, " lists no offset");
  return offsets;
}

}  // namespace shopstream::kafka
