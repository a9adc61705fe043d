#include <algorithm>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/format.h"
#include "base/joined_ids.h"
#include "base/json.h"
#include "base/log.h"
#include "base/shutdown.h"
#include "cli/command.h"
#include "kafka/absent_topic.h"
#include "kafka/admin.h"
#include "kafka/reader.h"
#include "records/read_start.h"
#include "records/record_filter.h"
#include "records/record_json.h"
#include "registry/client.h"

namespace shopstream::cli {
namespace {

struct ConsumeFlags {
  std::string topic;  // Empty: kafka.topic.
  bool from_beginning = false;
  records::ReadStart start;
  std::vector<int32_t> partitions;  // Empty: all.
  std::optional<std::string> key;
  std::optional<std::string> filter;
  bool exit_at_end = false;
  int64_t max = std::numeric_limits<int64_t>::max();
};

Result<std::vector<int32_t>> WantedPartitions(const KafkaConfig& config, const ConsumeFlags& flags,
                                              kafka::Admin* admin) {
  ARROW_ASSIGN_OR_RAISE(const auto topic, admin->DescribeTopic(config.topic, false));
  if (!topic) return kafka::DescribeAbsence(config.topic, config, admin);
  if (flags.partitions.empty()) return kafka::AllPartitions(topic->partitions.size());
  const auto count = static_cast<int32_t>(topic->partitions.size());
  if (flags.partitions.back() >= count) {
    return Status::Invalid("topic ", config.topic, " has no partition ", flags.partitions.back(),
                           ": its partitions are 0 to ", count - 1);
  }
  return flags.partitions;
}

// What to read.
struct RecordsToRead {
  std::vector<OffsetRange> ranges;
  std::vector<int32_t> left_out;  // Partitions that do not answer.
  bool to_end = false;            // Each range has an end.
};

Result<RecordsToRead> FindRecords(const KafkaConfig& config, const ConsumeFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto admin, kafka::Admin::Open(config));
  ARROW_ASSIGN_OR_RAISE(const auto partitions, WantedPartitions(config, flags, admin.get()));
  const auto asked = admin->OffsetSpans(config.topic, partitions);
  RecordsToRead found;
  std::map<int32_t, kafka::OffsetSpan> spans;
  std::map<int32_t, int64_t> times;
  for (size_t i = 0; i < partitions.size(); ++i) {
    if (asked[i].ok()) {
      spans[partitions[i]] = *asked[i];
    } else {
      found.left_out.push_back(partitions[i]);
      Log::Warn("partition {} is left out: {}", partitions[i], asked[i].status().message());
    }
  }
  if (spans.empty() && !asked.empty()) return asked.front().status();
  if (flags.start.form == records::ReadStart::Form::kTime) {
    std::vector<int32_t> answering;
    for (const auto& [partition, span] : spans) answering.push_back(partition);
    const auto offsets = admin->OffsetsAt(config.topic, answering, flags.start.number);
    for (size_t i = 0; i < answering.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(times[answering[i]], offsets[i]);
    }
  }
  for (const auto& [partition, span] : spans) {
    if (flags.start.form != records::ReadStart::Form::kOffset || flags.start.number <= span.end)
      continue;
    Log::Warn("partition {} ends at offset {}, before {}", partition, span.end, flags.start.number);
  }
  found.to_end = flags.exit_at_end || flags.start.form == records::ReadStart::Form::kBeforeEnd;
  found.ranges = records::ChooseRanges(spans, flags.start, times, found.to_end);
  return found;
}

bool HasKey(const kafka::RecordView& record, const ConsumeFlags& flags) {
  if (!flags.key) return true;
  return record.key &&
         std::equal(record.key->begin(), record.key->end(), flags.key->begin(), flags.key->end(),
                    [](uint8_t byte, char c) { return byte == static_cast<uint8_t>(c); });
}

// Prints the wanted records and counts them.
class RecordPrinter {
 public:
  // All borrowed. `filter`: null for none.
  RecordPrinter(const ConsumeFlags& flags, records::RecordDecoder* decoder,
                records::RecordFilter* filter)
      : flags_(flags), decoder_(decoder), filter_(filter) {}

  Status Print(const kafka::RecordBatch& batch) {
    if (batch.records.empty()) return Status::OK();
    std::vector<bool> matches(batch.records.size(), true);
    if (filter_ != nullptr) {
      ARROW_ASSIGN_OR_RAISE(matches, filter_->Matches(batch));
    }
    for (size_t i = 0; i < batch.records.size(); ++i) {
      const kafka::RecordView& record = batch.records[i];
      if (is_full() || ShutdownRequested()) break;
      ++read_;
      auto& offsets =
          seen_.try_emplace(record.partition, record.offset, record.offset).first->second;
      offsets.second = record.offset;
      if (!matches[i] || !HasKey(record, flags_)) continue;
      std::cout << DumpJson(decoder_->ToJson(record)) << '\n';
      ++printed_;
    }
    std::cout.flush();
    return Status::OK();
  }

  bool is_full() const { return printed_ >= flags_.max; }

  // What was searched, so that an empty result is not read as an empty topic.
  void Summarize(bool to_end, const std::vector<int32_t>& left_out) const {
    if (filter_ == nullptr) return;
    std::string where;
    for (const auto& [partition, offsets] : seen_) {
      where += (where.empty() ? "; partition " : ", ") + std::to_string(partition) + ": offsets " +
               std::to_string(offsets.first) + " to " + std::to_string(offsets.second);
    }
    if (!left_out.empty()) {
      where += left_out.size() == 1 ? "; not searched: partition " : "; not searched: partitions ";
      where += JoinedIds(left_out);
    }
    Log::Info("{} of {} match, {}{}", FormatCount(printed_), Counted(read_, "record"),
              is_full() ? "and more may follow (--max)" : (to_end ? "read to the end" : "stopped"),
              where);
    if (!filter_->unfit().empty()) {
      Log::Warn("No record that was read has the fields of the filter: {}", filter_->unfit());
    }
  }

 private:
  const ConsumeFlags& flags_;
  records::RecordDecoder* const decoder_;
  records::RecordFilter* const filter_;
  int64_t read_ = 0, printed_ = 0;
  std::map<int32_t, std::pair<int64_t, int64_t>> seen_;  // The first and last offset.
};

Result<int> Consume(const Context& context, ConsumeFlags flags) {
  KafkaConfig config = context.config.kafka;
  if (!flags.topic.empty()) config.topic = flags.topic;
  if (flags.from_beginning) flags.start = {records::ReadStart::Form::kStart, 0};
  ARROW_ASSIGN_OR_RAISE(const auto registry, registry::Client::Open(context.config.registry));
  records::RecordDecoder decoder(registry.get());
  std::unique_ptr<records::RecordFilter> filter;
  if (flags.filter) {
    ARROW_ASSIGN_OR_RAISE(filter,
                          records::RecordFilter::Open(*flags.filter, context.config, config.topic,
                                                      registry.get(), &decoder));
  }
  ARROW_ASSIGN_OR_RAISE(const RecordsToRead found, FindRecords(config, flags));
  const bool is_partial = filter != nullptr && found.to_end && !found.left_out.empty();
  RecordPrinter printer(flags, &decoder, filter.get());
  if (found.ranges.empty()) {
    printer.Summarize(true, found.left_out);
    return is_partial ? kDifferenceFound : kDone;
  }
  ARROW_ASSIGN_OR_RAISE(const auto reader, kafka::Reader::Open(config, found.ranges));
  Log::Info("reading {}; press Ctrl-C to stop", config.topic);
  while (!printer.is_full() && !reader->done() && !ShutdownRequested()) {
    ARROW_ASSIGN_OR_RAISE(const kafka::RecordBatch batch, reader->Next(Millis{200}));
    ARROW_RETURN_NOT_OK(printer.Print(batch));
    for (const auto& [partition, why] : reader->failed()) {
      return why.WithMessage("partition ", partition, ": ", why.message());
    }
    // The reader of our output has exited; nothing is left to do, and it is not an error.
    if (!std::cout) {
      std::cout.clear();
      break;
    }
  }
  printer.Summarize(reader->done(), found.left_out);
  return is_partial && !printer.is_full() ? kDifferenceFound : kDone;
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
                       .target = Storing(records::ParseReadStart, &flags->start),
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
                       .target = Storing(records::ParsePartitions, &flags->partitions),
                       .meaning = "Only this partition, or several: 0,2",
                       .value = "P"},
                      {.name = "--key",
                       .target = &flags->key,
                       .meaning = "Only messages with this key",
                       .value = "KEY"},
                      {.name = "--filter",
                       .target = &flags->filter,
                       .meaning = "Only messages for which this SQL condition is true, such as "
                                  "\"amount > 100\"",
                       .value = "CONDITION"},
                      {.name = "-e,--exit",
                       .target = &flags->exit_at_end,
                       .meaning = "Stop at the present end instead of waiting for more"}},
          .run = [flags](const Context& context) { return Consume(context, *flags); }};
}

}  // namespace shopstream::cli
