#include <algorithm>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/log.h"
#include "base/shutdown.h"
#include "cli/absent_topic.h"
#include "cli/command.h"
#include "cli/consume_start.h"
#include "cli/record_json.h"
#include "kafka/admin.h"
#include "kafka/reader.h"
#include "registry/client.h"

namespace shopstream::cli {
namespace {

struct ConsumeFlags {
  std::string topic;  // Empty: kafka.topic.
  bool from_beginning = false;
  ConsumeStart start;
  std::vector<int32_t> partitions;  // Empty: all.
  std::optional<std::string> key;
  bool exit_at_end = false;
  int64_t max = std::numeric_limits<int64_t>::max();
};

Result<std::vector<int32_t>> WantedPartitions(const KafkaConfig& config, const ConsumeFlags& flags,
                                              kafka::Admin* admin) {
  ARROW_ASSIGN_OR_RAISE(const auto topic, admin->DescribeTopic(config.topic, false));
  if (!topic) return DescribeAbsence(config.topic, config, admin);
  if (flags.partitions.empty()) return kafka::AllPartitions(topic->partitions.size());
  const auto count = static_cast<int32_t>(topic->partitions.size());
  if (flags.partitions.back() >= count) {
    return Status::Invalid("topic ", config.topic, " has no partition ", flags.partitions.back(),
                           ": its partitions are 0 to ", count - 1);
  }
  return flags.partitions;
}

Result<std::vector<OffsetRange>> RangesOf(const KafkaConfig& config, const ConsumeFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto admin, kafka::Admin::Open(config));
  ARROW_ASSIGN_OR_RAISE(const auto partitions, WantedPartitions(config, flags, admin.get()));
  const auto asked = admin->OffsetSpans(config.topic, partitions);
  std::map<int32_t, kafka::OffsetSpan> spans;
  std::map<int32_t, int64_t> times;
  for (size_t i = 0; i < partitions.size(); ++i) {
    if (asked[i].ok()) {
      spans[partitions[i]] = *asked[i];
    } else {
      Log::Warn("partition {} is left out: {}", partitions[i], asked[i].status().message());
    }
  }
  if (spans.empty() && !asked.empty()) return asked.front().status();
  if (flags.start.form == ConsumeStart::Form::kTime) {
    std::vector<int32_t> answering;
    for (const auto& [partition, span] : spans) answering.push_back(partition);
    const auto offsets = admin->OffsetsAt(config.topic, answering, flags.start.number);
    for (size_t i = 0; i < answering.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(times[answering[i]], offsets[i]);
    }
  }
  for (const auto& [partition, span] : spans) {
    if (flags.start.form != ConsumeStart::Form::kOffset || flags.start.number <= span.end) continue;
    Log::Warn("partition {} ends at offset {}, before {}", partition, span.end, flags.start.number);
  }
  const bool to_end = flags.exit_at_end || flags.start.form == ConsumeStart::Form::kBeforeEnd;
  return ChooseRanges(spans, flags.start, times, to_end);
}

bool IsWanted(const kafka::RecordView& record, const ConsumeFlags& flags) {
  if (!flags.key) return true;
  return record.key &&
         std::equal(record.key->begin(), record.key->end(), flags.key->begin(), flags.key->end(),
                    [](uint8_t byte, char c) { return byte == static_cast<uint8_t>(c); });
}

Result<int> Consume(const Context& context, ConsumeFlags flags) {
  KafkaConfig config = context.config.kafka;
  if (!flags.topic.empty()) config.topic = flags.topic;
  if (flags.from_beginning) flags.start = {ConsumeStart::Form::kStart, 0};
  ARROW_ASSIGN_OR_RAISE(const auto ranges, RangesOf(config, flags));
  if (ranges.empty()) return kDone;
  ARROW_ASSIGN_OR_RAISE(const auto registry, registry::Client::Open(context.config.registry));
  ARROW_ASSIGN_OR_RAISE(const auto reader, kafka::Reader::Open(config, ranges));
  Log::Info("reading {}; press Ctrl-C to stop", config.topic);
  RecordDecoder decoder(registry.get());
  int64_t printed = 0;
  while (printed < flags.max && !reader->done() && !ShutdownRequested()) {
    ARROW_ASSIGN_OR_RAISE(const kafka::RecordBatch batch, reader->Next(Millis{200}));
    for (const kafka::RecordView& record : batch.records) {
      if (printed == flags.max || ShutdownRequested()) break;
      if (!IsWanted(record, flags)) continue;
      std::cout << DumpJson(decoder.ToJson(record)) << '\n';
      ++printed;
    }
    std::cout.flush();
    for (const auto& [partition, why] : reader->failed()) {
      return why.WithMessage("partition ", partition, ": ", why.message());
    }
    // The reader of our output has exited; nothing is left to do, and it is not an error.
    if (!std::cout) {
      std::cout.clear();
      break;
    }
  }
  return kDone;
}

}  // namespace

Command ConsumeCommand() {
  auto flags = std::make_shared<ConsumeFlags>();
  return {.name = "consume",
          .meaning = "Print decoded messages of a topic",
          .options = {{.name = "TOPIC",
                       .target = &flags->topic,
                       .meaning = "Default: kafka.topic",
                       .value = "TOPIC"},
                      {.name = "-o,--offset",
                       .target = Storing(ParseConsumeStart, &flags->start),
                       .meaning = "Where to begin in each partition: start, end [default], an "
                                  "offset, +N after the start, -N before the end (stops at the "
                                  "end), or @TIME",
                       .value = "START"},
                      {.name = "--from-beginning",
                       .target = &flags->from_beginning,
                       .meaning = "Same as --offset start",
                       .excludes = "--offset"},
                      {.name = "-n,--max",
                       .target = &flags->max,
                       .meaning = "Stop after this many messages",
                       .bounds = Bounds{1}},
                      {.name = "-p,--partition",
                       .target = Storing(ParsePartitions, &flags->partitions),
                       .meaning = "Only this partition, or several: 0,2",
                       .value = "P"},
                      {.name = "--key",
                       .target = &flags->key,
                       .meaning = "Only messages with this key",
                       .value = "KEY"},
                      {.name = "-e,--exit",
                       .target = &flags->exit_at_end,
                       .meaning = "Stop at the present end instead of waiting for more"}},
          .run = [flags](const Context& context) { return Consume(context, *flags); }};
}

}  // namespace shopstream::cli
