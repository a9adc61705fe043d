#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "avro/columns.h"
#include "base/clock.h"
#include "ingest/bronze_layout.h"
#include "ingest/cut.h"
#include "ingest/frame.h"
#include "ingest/partition_tuples.h"
#include "ingest/schema_cache.h"
#include "kafka/record.h"

namespace shopstream::ingest {

// A record with a larger value is quarantined in full: a cut's memory must hold many rows. The
// bound is part of the verdict, so it is not a setting.
inline constexpr size_t kMaxRecordBytes = 8 << 20;

// The record as it was before quarantine, without key and headers; borrows its value.
kafka::RecordView View(const QuarantinedRecord& kept);

// Collects the rows of the filling cut. One thread. No I/O and no clock.
//
// Rows of any number of writers' schemas go into one set of columns, each through the decoder for
// its own schema. When a writer has a new field, the layout of the SchemaCache has grown: the
// columns so far are set aside and joined with the later ones when the cut is finished, null where
// they had no such column. That happens once per new field, not once per record.
class CutBuilder {
 public:
  explicit CutBuilder(std::shared_ptr<const BronzeLayout> layout);

  // If any partition value is allowed: the values already in the table count towards the bound.
  void Admit(const std::vector<PartitionTuple>& values);

  // The record's frame. Nothing: no schema can decode the record, and it is quarantined.
  std::optional<Frame> Open(const kafka::RecordView& record);
  // Adds an opened record as a row of the layout or as a quarantined record, depending on its
  // schema. OutOfMemory: there is no room for the row; this is not a verdict on the record.
  Status Add(const kafka::RecordView& record, const Frame& frame, const KnownSchema& schema,
             const std::shared_ptr<const BronzeLayout>& layout);

  // Keeps a record until its schema id is confirmed as unknown, so that the stream can continue. It
  // belongs to this cut, which must not be finished before the record is decided.
  void Park(const kafka::RecordView& record, int32_t schema_id);
  std::vector<int32_t> ParkedIds() const;
  // Decides the parked records whose id is now known. OutOfMemory: as for Add.
  Status DecideParked(const SchemaCache& schemas, BootClock::time_point now);
  bool has_parked() const { return !parked_.empty(); }
  int64_t parked_bytes() const { return parked_bytes_; }

  int64_t rows() const { return static_cast<int64_t>(cut_.kafka_offset.size()); }
  int64_t quarantined() const { return static_cast<int64_t>(cut_.quarantined.size()); }
  // Rows of the partition values that have the most; quarantined records count as a separate one.
  int64_t fullest_value_rows() const;
  // Upper bound of the Bronze partitions in the cut if no record is added: those of its rows, and
  // one for each parked record. One record adds at most one.
  int64_t open_partitions() const {
    return static_cast<int64_t>(cut_.lake_partitions.size() + parked_.size());
  }
  int64_t bytes() const;

  // Returns everything and starts empty. The caller sets progress, epoch and times.
  Result<Cut> Finish();
  // Drops all records, and the partition values that were admitted for them.
  void Clear();

 private:
  struct Verdict {
    Cause cause;
    std::string detail;
  };
  Result<std::optional<Verdict>> AddBy(const KnownSchema& schema, const kafka::RecordView& record,
                                       const Frame& frame,
                                       const std::shared_ptr<const BronzeLayout>& layout);
  Result<std::optional<Verdict>> AddRow(const kafka::RecordView& record, const Frame& frame,
                                        const avro::Decoder& decoder);
  void Quarantine(QuarantinedRecord record, Verdict verdict);
  // Sets the columns filled so far aside if their layout differs.
  Status UseLayout(const std::shared_ptr<const BronzeLayout>& layout);
  void StartEmpty();
  int32_t LakePartitionIndex(int value, int32_t date);

  std::shared_ptr<const BronzeLayout> layout_;
  avro::Columns columns_;
  std::vector<std::shared_ptr<arrow::RecordBatch>> earlier_;  // Rows of earlier layouts.
  int64_t earlier_bytes_ = 0;
  Cut cut_;  // The filling cut; its rows are in earlier_ and columns_ until Finish.
  PartitionTuples tuples_;
  std::unordered_map<int64_t, int32_t> lake_partition_index_;
  // For each tuple that has had a row: the lake partition last used, and the rows of this cut.
  std::vector<int32_t> last_index_;
  std::vector<int64_t> value_rows_;
  int64_t quarantined_bytes_ = 0;
  std::vector<QuarantinedRecord> parked_;  // Not decided yet.
  int64_t parked_bytes_ = 0;
};

}  // namespace shopstream::ingest
