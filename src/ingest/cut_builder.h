#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "ingest/bronze_layout.h"
#include "ingest/cut.h"
#include "ingest/frame.h"
#include "ingest/rows_builder.h"
#include "ingest/schema_cache.h"
#include "kafka/record.h"

namespace shopstream::ingest {

// A record with a larger value is quarantined in full: a cut's memory must hold many rows. The
// bound is part of the verdict, so it is not a setting.
inline constexpr size_t kMaxRecordBytes = 8 << 20;

// The record as it was before quarantine, without key and headers; borrows its value.
kafka::RecordView View(const QuarantinedRecord& kept);

// Collects the filling cut: the rows of each table, and the quarantined records. One thread. No I/O
// and no clock.
class CutBuilder {
 public:
  explicit CutBuilder(std::shared_ptr<const BronzeLayout> layout);

  // If any partition value is allowed: the values already in Bronze count towards the bound.
  void Admit(const std::vector<PartitionTuple>& values) { bronze_.Admit(values); }
  // The same for the side table of this layout.
  void AdmitSide(const std::shared_ptr<const BronzeLayout>& layout,
                 const std::vector<PartitionTuple>& values) {
    Side(layout).Admit(values);
  }

  // The record's frame. Nothing: no schema can decode the record, and it is quarantined.
  std::optional<Frame> Open(const kafka::RecordView& record);
  // Adds an opened record as a row of the schema's layout or as a quarantined record.
  // OutOfMemory: there is no room for the row; this is not a verdict on the record.
  Status Add(const kafka::RecordView& record, const Frame& frame, const KnownSchema& schema);

  // Keeps a record until its schema id is confirmed as unknown, so that the stream can continue. It
  // belongs to this cut, which must not be finished before the record is decided.
  void Park(const kafka::RecordView& record, int32_t schema_id);
  std::vector<int32_t> ParkedIds() const;
  // Decides the parked records whose id is now known. OutOfMemory: as for Add.
  Status DecideParked(const SchemaCache& schemas, BootClock::time_point now);
  bool has_parked() const { return !parked_.empty(); }
  int64_t parked_bytes() const { return parked_bytes_; }

  int64_t rows() const;
  int64_t quarantined() const { return std::ssize(quarantined_); }
  // Rows of the partition values that have the most; quarantined records count as a separate one.
  int64_t fullest_value_rows() const;
  // Upper bound of the tables' partitions in the cut if no record is added: those of its rows, and
  // one for each parked record. One record adds at most one.
  int64_t open_partitions() const {
    return bronze_.open_partitions() + open_in_sides_ + std::ssize(parked_);
  }
  int64_t bytes() const;

  // Returns everything and starts empty. The caller sets progress, epoch and times.
  Result<Cut> Finish();
  // Drops all records, and the partition values that were admitted for them.
  void Clear();

 private:
  Result<std::optional<Verdict>> AddBy(const KnownSchema& schema, const kafka::RecordView& record,
                                       const Frame& frame);
  RowsBuilder& Side(const std::shared_ptr<const BronzeLayout>& layout);
  void Quarantine(QuarantinedRecord record, Verdict verdict);
  void StartEmpty();

  RowsBuilder bronze_;
  std::map<std::string, RowsBuilder> sides_;  // By the path of the table.
  int64_t open_in_sides_ = 0;                 // Their partitions.
  std::vector<QuarantinedRecord> quarantined_;
  int64_t quarantined_bytes_ = 0;
  std::vector<QuarantinedRecord> parked_;  // Not decided yet.
  int64_t parked_bytes_ = 0;
};

}  // namespace shopstream::ingest
