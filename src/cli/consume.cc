#include <iostream>
#include <limits>
#include <memory>
#include <vector>

#include "base/json.h"
#include "base/log.h"
#include "base/shutdown.h"
#include "cli/command.h"
#include "cli/record_json.h"
#include "kafka/admin.h"
#include "kafka/errors.h"
#include "kafka/reader.h"
#include "registry/client.h"

namespace shopstream::cli {
namespace {

constexpr int64_t kForEver = std::numeric_limits<int64_t>::max();

struct ConsumeFlags {
  bool from_beginning = false;
  int64_t max = kForEver;
};

Result<std::vector<OffsetRange>> RangesOf(const KafkaConfig& config, bool from_beginning) {
  ARROW_ASSIGN_OR_RAISE(const auto admin, kafka::Admin::Open(config));
  ARROW_ASSIGN_OR_RAISE(const auto topic, admin->DescribeTopic(config.topic, false));
  if (!topic) return kafka::NoSuchTopic(config.topic, config.bootstrap_servers);
  const auto partitions = kafka::AllPartitions(topic->partitions.size());
  const auto spans = admin->OffsetSpans(config.topic, partitions);
  std::vector<OffsetRange> ranges;
  for (const int32_t p : partitions) {
    const Result<kafka::OffsetSpan>& span = spans[static_cast<size_t>(p)];
    if (span.ok()) {
      ranges.push_back({p, from_beginning ? span->log_start : span->end, kForEver});
    } else {
      Log::Warn("partition {} is left out: {}", p, span.status().message());
    }
  }
  if (ranges.empty() && !spans.empty()) return spans.front().status();
  return ranges;
}

Result<int> Consume(const Context& context, const ConsumeFlags& flags) {
  const KafkaConfig& config = context.config.kafka;
  ARROW_ASSIGN_OR_RAISE(const auto ranges, RangesOf(config, flags.from_beginning));
  ARROW_ASSIGN_OR_RAISE(const auto registry, registry::Client::Open(context.config.registry));
  ARROW_ASSIGN_OR_RAISE(const auto reader, kafka::Reader::Open(config, ranges));
  Log::Info("reading {}; press Ctrl-C to stop", config.topic);
  RecordDecoder decoder(registry.get());
  int64_t printed = 0;
  while (printed < flags.max && !ShutdownRequested()) {
    ARROW_ASSIGN_OR_RAISE(const kafka::RecordBatch batch, reader->Next(Millis{200}));
    for (const kafka::RecordView& record : batch.records) {
      if (printed == flags.max || ShutdownRequested()) break;
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
          .meaning = "Print decoded messages of the topic",
          .options = {{.name = "--from-beginning",
                       .target = &flags->from_beginning,
                       .meaning = "Start with the oldest message; default: only new messages"},
                      {.name = "--max",
                       .target = &flags->max,
                       .meaning = "Stop after this many messages",
                       .bounds = Bounds{1}}},
          .run = Running(flags, Consume)};
}

}  // namespace shopstream::cli
