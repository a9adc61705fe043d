#include "ingest/first_schema.h"

#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "avro/node.h"
#include "base/clock.h"
#include "base/error_kind.h"
#include "base/log.h"
#include "ingest/frame.h"
#include "kafka/reader.h"

namespace shopstream::ingest {
namespace {

constexpr Millis kPeekFor{10'000};
constexpr Millis kPeekStep{200};
// Each costs a client. With more, the first ones hold nothing that can be decoded.
constexpr size_t kMaxPeekedPartitions = 10;

Status NoSchema(const registry::SubjectNaming& naming, const std::string& topic) {
  const std::string none = "topic " + topic + ": none of its first " +
                           std::to_string(SchemaPeek::kMaxRecords) +
                           " records has a schema that the registry knows";
  if (naming.needs_record()) {
    return Status::KeyError(none, ". The first ingest creates the table from a schema: produce ",
                            "some events, or set registry.subject");
  }
  return Status::KeyError(none, ", and there is no subject ", SubjectFor(naming, topic, ""),
                          ". The first ingest creates the table from a schema: produce some ",
                          "events, register one with `shopstream schema register FILE`, or set ",
                          "registry.subject or registry.subject_strategy");
}

Result<avro::Schema> ParseRegistered(const registry::RegisteredSchema& registered) {
  if (registered.schema_type != "AVRO") {
    return Status::Invalid("schema ", registered.id, " of subject ", registered.subject, " is ",
                           registered.schema_type, "; ShopStream decodes Avro");
  }
  return avro::Schema::ParseKept(registered.schema);
}

Status TookTooLong(const std::string& topic, int32_t partition) {
  return Unavailable("topic ", topic, ", partition ", partition, ": reading its first records for ",
                     "the table's schema took longer than ", kPeekFor.count() / 1000, " s");
}

bool IsEmpty(const Result<kafka::OffsetSpan>& span) {
  return span.ok() && span->end <= span->log_start;
}

Result<std::optional<registry::RegisteredSchema>> PeekPartition(
    const KafkaConfig& config, int32_t partition, const Result<kafka::OffsetSpan>& filled,
    BootClock::time_point deadline, SchemaPeek* peek) {
  ARROW_ASSIGN_OR_RAISE(const kafka::OffsetSpan span, filled);
  const OffsetRange range{partition, span.log_start, span.end};
  ARROW_ASSIGN_OR_RAISE(auto reader, kafka::Reader::Open(config, {range}));
  while (!reader->done() && !peek->gave_up()) {
    if (BootClock::now() >= deadline) return TookTooLong(config.topic, partition);
    ARROW_ASSIGN_OR_RAISE(const kafka::RecordBatch batch, reader->Next(kPeekStep));
    for (const kafka::RecordView& record : batch.records) {
      ARROW_ASSIGN_OR_RAISE(auto found, peek->Look(record));
      if (found) {
        Log::Info(
            "Found the first schema of topic {}: id {}, of the record at partition {}, "
            "offset {}",
            config.topic, found->id, record.partition, record.offset);
        return found;
      }
      if (peek->gave_up()) break;
      if (BootClock::now() >= deadline) return TookTooLong(config.topic, partition);
    }
  }
  const auto failed = reader->failed().find(partition);
  if (failed != reader->failed().end()) return failed->second;
  return std::nullopt;
}

}  // namespace

Result<std::optional<registry::RegisteredSchema>> SchemaPeek::Look(
    const kafka::RecordView& record) {
  ++looked_;
  const auto frame = record.value ? ParseFrame(*record.value) : std::nullopt;
  if (!frame || useless_.contains(frame->schema_id)) return std::nullopt;
  registry::LookUp answer = registry_->ById(frame->schema_id);
  if (answer.outcome == registry::LookUpOutcome::kUnavailable) return Unavailable(answer.detail);
  if (answer.outcome == registry::LookUpOutcome::kFound) {
    const auto schema = ParseRegistered(answer.schema);
    if (schema.ok() && schema->root().kind == avro::Kind::kRecord) return answer.schema;
  }
  useless_.insert(frame->schema_id);
  return std::nullopt;
}

Result<std::optional<registry::RegisteredSchema>> PeekTopic(kafka::TopicMetadata* topics,
                                                            const KafkaConfig& config,
                                                            registry::SchemaSource* registry) {
  ARROW_ASSIGN_OR_RAISE(const auto topic, topics->DescribeTopic(config.topic, false));
  if (!topic) return std::nullopt;
  const BootClock::time_point deadline = BootClock::now() + kPeekFor;
  std::vector<int32_t> partitions = kafka::AllPartitions(topic->partitions.size());
  const auto spans = topics->OffsetSpans(config.topic, partitions);
  std::erase_if(partitions, [&](int32_t i) { return IsEmpty(spans[static_cast<size_t>(i)]); });
  if (partitions.size() > kMaxPeekedPartitions) partitions.resize(kMaxPeekedPartitions);
  Status unread;
  for (const int32_t partition : partitions) {
    SchemaPeek peek(registry, SchemaPeek::kMaxRecords / std::ssize(partitions));
    const auto found =
        PeekPartition(config, partition, spans[static_cast<size_t>(partition)], deadline, &peek);
    if (found.ok() && *found) return found;
    // A later partition must not decide while an earlier one is only away.
    if (IsUnavailable(found.status())) return found.status();
    if (unread.ok()) unread = found.status();
  }
  ARROW_RETURN_NOT_OK(unread);
  return std::nullopt;
}

Result<avro::Schema> FindFirstSchema(registry::SchemaSource* registry,
                                     const registry::SubjectNaming& naming,
                                     const std::string& topic, const PeekSchema& peek) {
  if (!naming.needs_record()) {
    const auto latest = registry->Latest(SubjectFor(naming, topic, ""));
    if (latest.ok()) return ParseRegistered(*latest);
    if (!latest.status().IsKeyError()) return latest.status();
    if (!naming.subject.empty()) {
      Log::Warn(
          "The registry has no subject {}, which registry.subject names: the topic's first "
          "records decide the table's schema",
          naming.subject);
    }
  }
  if (peek) {
    ARROW_ASSIGN_OR_RAISE(const auto found, peek());
    if (found) return ParseRegistered(*found);
  }
  return NoSchema(naming, topic);
}

}  // namespace shopstream::ingest
