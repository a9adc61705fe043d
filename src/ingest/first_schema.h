#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "avro/schema.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/record.h"
#include "registry/schema_source.h"
#include "registry/subject.h"

namespace shopstream::ingest {

// Looks for a topic's first record that names a known Avro schema of a record, since the registry
// may have it under any subject. Not more than kMaxRecords are looked at. One thread.
class SchemaPeek {
 public:
  static constexpr int64_t kMaxRecords = 1'000;

  explicit SchemaPeek(registry::SchemaSource* registry) : registry_(registry) {}

  // The schema, if this record is the one. Unavailable: the registry does not answer.
  Result<std::optional<registry::RegisteredSchema>> Look(const kafka::RecordView& record);
  bool gave_up() const { return looked_ >= kMaxRecords; }

 private:
  registry::SchemaSource* const registry_;
  std::set<int32_t> useless_;  // Ids that are unknown, or no record's schema.
  int64_t looked_ = 0;
};

// Nothing: no record of the topic names a known schema.
using PeekSchema = std::function<Result<std::optional<registry::RegisteredSchema>>()>;

// Reads the topic from its beginning with a SchemaPeek, for at most 10 s.
Result<std::optional<registry::RegisteredSchema>> PeekTopic(const KafkaConfig& config,
                                                            registry::SchemaSource* registry);

// The schema from which the table of a topic is created: the newest of the topic's subject, or, if
// the subject does not exist or depends on the record, that of the topic's first record. Another
// consumer may find another one; it makes no difference which of them wins. `peek` may be null.
Result<avro::Schema> FindFirstSchema(registry::SchemaSource* registry,
                                     const registry::SubjectNaming& naming,
                                     const std::string& topic, const PeekSchema& peek);

}  // namespace shopstream::ingest
