#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "ingest/bronze_layout.h"
#include "ingest/cause.h"
#include "model/offset_range.h"
#include "tables/partition_state.h"

namespace shopstream::ingest {

// An undecodable record, complete, with its coordinates.
struct QuarantinedRecord {
  int32_t partition = 0;
  int64_t offset = 0;
  int64_t timestamp_ms = 0;
  std::optional<int32_t> schema_id;  // Nothing if the frame is unreadable.
  Cause cause = Cause::kEmpty;
  std::string detail;
  std::optional<std::string> key, value;
  std::string headers_json;
};

// The range of one Kafka partition in a cut. The commit is valid only if the table's txn for the
// partition equals `fence`: begin, or nothing if the table has no txn for it.
struct CutProgress {
  OffsetRange range;
  std::optional<int64_t> fence;
  // The same for the quarantine table's txn; it advances only with cuts that quarantine records.
  std::optional<int64_t> quarantine_fence;
  std::map<std::string, int64_t> side_fences = {};  // The same for each side table that has one.
  // What Bronze keeps with the range's end.
  tables::Position position = {};
  // What an operator had accepted when the range was read: a commit is valid only if nothing was
  // accepted since.
  std::optional<int64_t> accepted = {};
};

// Marks a partition as stopped in the table: it is not read until an operator decides. The commit
// is valid only if the partition's progress could be committed.
struct CutStop {
  int32_t partition = 0;
  std::optional<int64_t> fence;
  std::optional<int64_t> accepted;
  tables::Stop stop;
};

// Everything that Kafka held of the partition at this time is below `end`. Holds for a table that
// has the partition up to there, whoever read it.
struct CutComplete {
  int32_t partition = 0;
  int64_t end = 0;
  int64_t through_ms = 0;

  bool operator==(const CutComplete&) const = default;
};

// One partition of the lake: values of the partition fields, and a date.
struct LakePartition {
  int value = 0;     // Index into TableRows::partition_values.
  int32_t date = 0;  // Days since 1970-01-01.
  bool operator==(const LakePartition&) const = default;
};

// Rows of one table. Row i came from Kafka at (kafka_partition[i], kafka_offset[i]) and goes to
// lake_partitions[lake_partition[i]]. All arrays are as long as `rows`.
struct TableRows {
  std::shared_ptr<const BronzeLayout> layout;  // Layout of `rows`; may have more than the table.
  // All values of the partition fields that their consumer knows, used or not: a text for each
  // field, the empty one for null.
  std::vector<PartitionTuple> partition_values;

  std::shared_ptr<arrow::RecordBatch> rows;
  std::vector<int32_t> kafka_partition;
  std::vector<int64_t> kafka_offset;
  std::vector<int64_t> kafka_timestamp_ms;
  std::vector<int32_t> schema_id;
  std::vector<int32_t> lake_partition;
  std::vector<LakePartition> lake_partitions;
};

// Everything read since the previous cut: all open lake partitions, with the offsets their rows
// came from. Published by Bronze's commit or not at all: the rows of quarantine and of side tables
// are committed before it.
struct Cut {
  int64_t epoch = 0;  // Assignment in which it was read; stale cuts are dropped.
  std::string topic;
  std::string topic_id;
  std::vector<CutProgress> progress;
  std::vector<CutStop> stops;
  std::vector<CutComplete> complete;
  std::vector<OffsetRange> lost;  // Expired in Kafka before they were read; reported in the log.

  TableRows bronze;
  std::vector<TableRows> sides;  // At most one for each side table, and only those with rows.
  std::vector<QuarantinedRecord> quarantined;
  BootClock::time_point sealed_at;
  int64_t ingested_at_ms = 0;  // Wall clock when sealed.
  int64_t bytes = 0;           // Memory held.
};

}  // namespace shopstream::ingest
