#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "avro/columns.h"
#include "base/clock.h"
#include "ingest/bronze_layout.h"
#include "ingest/cut.h"
#include "ingest/frame.h"
#include "ingest/schema_cache.h"
#include "kafka/record.h"

namespace shopstream::ingest {

// A record whose value is larger is quarantined whole: one row must fit the memory of a cut many
// times. Part of the verdict, so not a setting.
inline constexpr size_t kMaxRecordBytes = 8 << 20;

// Collects the rows of the cut that is filling. One thread. No I/O and no clock.
class CutBuilder {
 public:
  // `layout` must outlive it.
  explicit CutBuilder(const BronzeLayout* layout);

  // Takes one record with its verdict: a row, or a quarantined record. Where the schema id it names
  // is not known yet, takes nothing and returns the id. OutOfMemory: there is no room for the row,
  // which says nothing about the record.
  Result<std::optional<int32_t>> Add(const kafka::RecordView& record, const SchemaCache& schemas,
                                     BootClock::time_point now);

  // Keeps a record whose schema id waits to be confirmed as unknown, so that the stream need not.
  // It belongs to this cut, which must not be finished before it is decided.
  void Park(const kafka::RecordView& record, int32_t schema_id);
  std::vector<int32_t> ParkedIds() const;
  // Gives their verdict to those parked records whose id is known by now. OutOfMemory: as Add.
  Status DecideParked(const SchemaCache& schemas, BootClock::time_point now);
  bool has_parked() const { return !parked_.empty(); }
  int64_t parked_bytes() const { return parked_bytes_; }

  int64_t rows() const { return static_cast<int64_t>(cut_.kafka_offset.size()); }
  int64_t quarantined() const { return static_cast<int64_t>(cut_.quarantined.size()); }
  // Rows of the fullest region; quarantined records count as a region of their own.
  int64_t largest_region_rows() const;
  int64_t bytes() const;

  // Hands over everything and starts empty. Progress, epoch and times are the caller's to fill in.
  Result<Cut> Finish();
  void Clear();

 private:
  struct Verdict {
    Cause cause;
    std::string detail;
  };
  Result<std::optional<Verdict>> AddBy(const KnownSchema& schema, const kafka::RecordView& record);
  Result<std::optional<Verdict>> AddRow(const kafka::RecordView& record, const Frame& frame,
                                        const avro::Decoder& decoder);
  void Quarantine(QuarantinedRecord record, Verdict verdict);
  std::optional<int> PartitionValue(std::string_view text) const;
  int32_t LakePartitionIndex(int value, int32_t date);

  const BronzeLayout* layout_;
  avro::Columns columns_;
  Cut cut_;  // The filling one; its rows are in columns_ until Finish.
  std::unordered_map<int64_t, int32_t> lake_partition_index_;
  std::vector<int32_t> last_index_;   // Per partition value: the lake partition last used.
  std::vector<int64_t> region_rows_;  // Per partition value.
  int64_t quarantined_bytes_ = 0;
  std::vector<QuarantinedRecord> parked_;  // Their cause is not known yet.
  int64_t parked_bytes_ = 0;
};

}  // namespace shopstream::ingest
