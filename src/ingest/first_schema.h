#pragma once

#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <set>
#include <string>

#include "avro/schema.h"
#include "base/config.h"
#include "base/status.h"
#include "kafka/record.h"
#include "kafka/topic_metadata.h"
#include "registry/schema_source.h"
#include "registry/subject.h"

namespace shopstream::ingest {

// Looks for a topic's first record that names a known Avro schema of a record, since the registry
// may have it under any subject. Looks at no more than `most_records`, and asks the registry for no
// more than kMaxIds that turn out to be useless. One thread.
class SchemaPeek {
 public:
  static constexpr int64_t kMaxRecords = 1'000;
  static constexpr int64_t kMaxIds = 100;

  explicit SchemaPeek(registry::SchemaSource* registry, int64_t most_records = kMaxRecords)
      : registry_(registry), most_records_(most_records) {}

  // The schema, if this record is the one. Unavailable: the registry does not answer.
  Result<std::optional<registry::RegisteredSchema>> Look(const kafka::RecordView& record);
  bool gave_up() const { return looked_ >= most_records_ || std::ssize(useless_) >= kMaxIds; }

 private:
  registry::SchemaSource* const registry_;
  const int64_t most_records_;
  std::set<int32_t> useless_;  // Ids that are unknown, or whose schema is not a record.
  int64_t looked_ = 0;
};

// Nothing: no record of the topic names a known schema.
using PeekSchema = std::function<Result<std::optional<registry::RegisteredSchema>>()>;

// Looks at the first records of each partition in order, at most kMaxRecords in all, so that the
// same topic always gives the same schema; logs which record decided. Unavailable: Kafka or the
// registry does not answer, or a partition that comes first could not be read within 10 s.
Result<std::optional<registry::RegisteredSchema>> PeekTopic(kafka::TopicMetadata* topics,
                                                            const KafkaConfig& config,
                                                            registry::SchemaSource* registry);

// The schema from which the table of a topic is created: the newest of the topic's subject, or, if
// the subject does not exist or depends on the record, that of the topic's first record. A consumer
// that looks later may find a newer version, and the table grows by it. `peek` may be null.
Result<avro::Schema> FindFirstSchema(registry::SchemaSource* registry,
                                     const registry::SubjectNaming& naming,
                                     const std::string& topic, const PeekSchema& peek);

}  // namespace shopstream::ingest
