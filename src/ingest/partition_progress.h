#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "ingest/cut.h"
#include "ingest/start_positions.h"
#include "model/offset_range.h"

namespace shopstream::ingest {

// How far one assigned partition has been read and cut. Offsets below begin() are in sealed cuts,
// those from there to next() in the filling one. Ranges of sealed cuts tile: each begins where the
// previous one ends, also across offsets that hold no record.
class PartitionProgress {
 public:
  // Assigned, but nothing is read before its start is known.
  PartitionProgress() = default;
  explicit PartitionProgress(const StartPosition& start);

  bool reading() const { return reading_; }
  // Stops reading until it is given another start.
  void StopReading() { reading_ = false; }
  // False: only an operator can decide how it continues; see StartPosition::Verdict.
  bool readable() const { return readable_; }
  int64_t begin() const { return begin_; }
  int64_t next() const { return next_; }

  // Whether the record at this offset is the next one to read, or one after it.
  bool Awaits(int64_t offset) const { return reading_ && offset >= next_; }
  // Whether an earlier consumer has quarantined the record, which must not be done twice.
  bool IsQuarantined(int64_t offset) const { return quarantined_.contains(offset); }
  // Every offset below `next` has been read or holds no record for us. False: nothing changed.
  bool AdvanceTo(int64_t next) {
    if (!reading_ || next <= next_) return false;
    next_ = next;
    return true;
  }

  // Adds the range that was read since the last cut, if any; the next one begins where it ends,
  // whether or not it has been committed by then. The cut's records must be complete.
  void Seal(Cut* cut);

 private:
  int32_t partition_ = 0;
  int64_t begin_ = 0;
  int64_t next_ = 0;
  std::optional<int64_t> fence_;  // Bronze's txn once all sealed cuts are committed.
  std::optional<int64_t> quarantine_fence_;
  std::set<int64_t> quarantined_;    // At or above begin_.
  std::optional<OffsetRange> lost_;  // Expired in Kafka; for the first cut to report.
  bool readable_ = true;
  bool reading_ = false;
};

}  // namespace shopstream::ingest
