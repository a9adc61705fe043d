#include "ingest/first_schema.h"

#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "avro/node.h"
#include "base/clock.h"
#include "base/error_kind.h"
#include "ingest/frame.h"
#include "kafka/admin.h"
#include "kafka/reader.h"

namespace shopstream::ingest {
namespace {

constexpr Millis kPeekFor{10'000};
constexpr Millis kPeekStep{200};

Status NoSchema(const registry::SubjectNaming& naming, const std::string& topic) {
  const std::string subject =
      naming.needs_record() ? "" : ", and there is no subject " + SubjectFor(naming, topic, "");
  return Status::KeyError("topic ", topic, " has no record with a schema that the registry knows",
                          subject, ". The first ingest creates the table from a schema: produce ",
                          "some events, register one with `shopstream schema register FILE`, or ",
                          "set registry.subject or registry.subject_strategy");
}

Result<avro::Schema> ParseRegistered(const registry::RegisteredSchema& registered) {
  if (registered.schema_type != "AVRO") {
    return Status::Invalid("schema ", registered.id, " of subject ", registered.subject, " is ",
                           registered.schema_type, "; ShopStream decodes Avro");
  }
  return avro::Schema::ParseKept(registered.schema);
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

Result<std::optional<registry::RegisteredSchema>> PeekTopic(const KafkaConfig& config,
                                                            registry::SchemaSource* registry) {
  ARROW_ASSIGN_OR_RAISE(auto admin, kafka::Admin::Open(config));
  ARROW_ASSIGN_OR_RAISE(const auto topic, admin->DescribeTopic(config.topic, false));
  if (!topic) return std::nullopt;
  std::vector<int32_t> partitions;
  for (int32_t i = 0; i < std::ssize(topic->partitions); ++i) partitions.push_back(i);
  std::vector<OffsetRange> ranges;
  const auto spans = admin->OffsetSpans(config.topic, partitions);
  for (const int32_t partition : partitions) {
    const auto& span = spans[static_cast<size_t>(partition)];
    if (span.ok() && span->end > span->log_start)
      ranges.push_back({partition, span->log_start, span->end});
  }
  if (ranges.empty()) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(auto reader, kafka::Reader::Open(config, ranges));
  SchemaPeek peek(registry);
  const BootClock::time_point deadline = BootClock::now() + kPeekFor;
  while (!reader->done() && !peek.gave_up() && BootClock::now() < deadline) {
    ARROW_ASSIGN_OR_RAISE(const kafka::RecordBatch batch, reader->Next(kPeekStep));
    for (const kafka::RecordView& record : batch.records) {
      ARROW_ASSIGN_OR_RAISE(auto found, peek.Look(record));
      if (found) return found;
      if (peek.gave_up()) break;
    }
  }
  return std::nullopt;
}

Result<avro::Schema> FindFirstSchema(registry::SchemaSource* registry,
                                     const registry::SubjectNaming& naming,
                                     const std::string& topic, const PeekSchema& peek) {
  if (!naming.needs_record()) {
    const auto latest = registry->Latest(SubjectFor(naming, topic, ""));
    if (latest.ok()) return ParseRegistered(*latest);
    if (!latest.status().IsKeyError()) return latest.status();
  }
  if (peek) {
    ARROW_ASSIGN_OR_RAISE(const auto found, peek());
    if (found) return ParseRegistered(*found);
  }
  return NoSchema(naming, topic);
}

}  // namespace shopstream::ingest
