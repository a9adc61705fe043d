#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "lake/delta/table.h"

// The columns of our tables besides those of the record. docs/lake.md describes them.
namespace shopstream::tables {

// Where in Kafka a row came from, in Bronze and in quarantine. Topic id, partition and offset
// together are unique in a table.
inline constexpr char kTopic[] = "kafka_topic";          // utf8
inline constexpr char kTopicId[] = "kafka_topic_id";     // utf8
inline constexpr char kPartition[] = "kafka_partition";  // int32
inline constexpr char kOffset[] = "kafka_offset";        // int64
inline constexpr char kTimestamp[] = "kafka_timestamp";  // Instant(); null: none, or unknown

inline constexpr char kSchemaId[] = "schema_id";      // int32, in both
inline constexpr char kIngestedAt[] = "ingested_at";  // Instant(), in Bronze
inline constexpr char kDate[] = "date";               // date32, a partition column of both

// In quarantine.
inline constexpr char kCause[] = "cause";                   // utf8
inline constexpr char kDetail[] = "detail";                 // utf8
inline constexpr char kKey[] = "key";                       // binary
inline constexpr char kValue[] = "value";                   // binary
inline constexpr char kHeaders[] = "headers";               // utf8, JSON
inline constexpr char kQuarantinedAt[] = "quarantined_at";  // Instant()

// timestamp[us, UTC], the type of every time in our tables.
std::shared_ptr<arrow::DataType> Instant();

// The columns of Bronze that follow the record's, without partition columns.
arrow::FieldVector BronzeFields();

// The columns of quarantine, without the partition column.
arrow::FieldVector QuarantineFields();
lake::TableSpec QuarantineSpec(const std::string& path);

}  // namespace shopstream::tables
