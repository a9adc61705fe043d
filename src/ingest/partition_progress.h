#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "ingest/cut.h"
#include "ingest/start_positions.h"
#include "kafka/record.h"
#include "model/offset_range.h"
#include "tables/partition_state.h"

namespace shopstream::ingest {

// How far one assigned partition has been read and cut. Offsets below begin() are in sealed cuts,
// those from there to next() in the filling one. Ranges of sealed cuts tile: each begins where the
// previous one ends, also across offsets that hold no record.
class PartitionProgress {
 public:
  // Assigned, but nothing is read before its start is known.
  PartitionProgress() = default;
  explicit PartitionProgress(const StartPosition& start);

  // Whether the partition is being read.
  bool reading() const { return started_ && !halted_; }
  // Drops what is not sealed and stops reading until it is given another start.
  void StopReading() {
    started_ = false;
    taken_ = nullptr;
  }
  // Stops reading at `offset`, and keeps what was read for the next cut. Records below it, which
  // may have been polled already, are still taken.
  void Halt(int64_t offset) {
    halted_ = true;
    halted_at_ = offset;
  }
  // The start at which it continues if it is assigned again.
  StartPosition Here();
  // Continues after Halt. The partition must not be stopped.
  void Continue() { halted_ = false; }
  // Halts until an operator decides. The next cut records it in the table.
  void Stop(const tables::Stop& stop);
  // Whether the table marks the partition as stopped, or will after the next cut: only an operator
  // can continue it.
  bool stopped() const { return stopped_; }
  // Whether the next cut has news for the table besides what was read: the partition's first sight,
  // its stop, or what expired before it was read.
  bool has_notice() const { return started_ && (first_sight_ || stop_ || lost_); }

  int64_t begin() const { return begin_; }
  int64_t next() const { return next_; }
  // The epoch of the last record taken, by this or an earlier consumer; -1: unknown.
  int32_t last_epoch() const {
    if (taken_ != nullptr) return taken_->leader_epoch;
    return position_.last ? position_.last->leader_epoch : -1;
  }
  const std::optional<int64_t>& accepted() const { return accepted_; }
  // See tables::PartitionState; once all sealed cuts are committed.
  const std::optional<int64_t>& complete_through_ms() const { return complete_through_ms_; }

  // Whether the record at this offset is the next one to read, or one after it.
  bool Awaits(int64_t offset) const {
    return started_ && offset >= next_ && (!halted_ || offset < halted_at_);
  }
  // Whether an earlier consumer has committed the record to quarantine or to a side table, which
  // must not be done twice.
  enum class Skip {
    kNo,
    kSame,
    kOther,  // It has committed another record at this offset: Kafka's log was replaced.
  };
  Skip Committed(const kafka::RecordView& record) const;
  // The awaited record is in the filling cut, or was committed before. Offsets before it hold
  // none. It must stay valid until Settle or Seal: only the last of a run is hashed, since hashing
  // each one takes 3 % of the CPU.
  void Take(const kafka::RecordView& record) {
    if (record.offset != next_ && position_.empty) position_.empty->Skip(next_, record.offset);
    taken_ = &record;
    next_ = record.offset + 1;
  }
  void Settle();
  // Every offset below `end` has been read or holds no record for us; `epoch` is that of the last
  // of them, -1: unknown. False: nothing changed.
  bool AdvanceTo(int64_t end, int32_t epoch = -1);

  // Adds the range that was read since the last cut, if any, and the notice, if any; the next range
  // begins where it ends, whether or not it has been committed by then. The cut's records must be
  // complete.
  void Seal(Cut* cut);
  // Adds that everything which Kafka held at this time is in the sealed cuts, unless that is known.
  void SealComplete(int64_t through_ms, Cut* cut);

 private:
  int32_t partition_ = 0;
  int64_t begin_ = 0;
  int64_t next_ = 0;
  std::optional<int64_t> fence_;  // Bronze's txn once all sealed cuts are committed.
  std::optional<int64_t> quarantine_fence_;
  std::map<std::string, int64_t> side_fences_;
  std::map<int64_t, int64_t> quarantined_;  // At or above begin_: offset -> content hash.
  std::map<int64_t, std::optional<int64_t>>
      in_sides_;                     // The same for side tables: offset -> Kafka timestamp.
  std::optional<OffsetRange> lost_;  // Expired in Kafka; for the first cut to report.
  const kafka::RecordView* taken_ = nullptr;  // The last record, if position_ lacks it.
  tables::Position position_;                 // At next_; its ledger's `to` is set when sealed.
  std::optional<int64_t> accepted_, complete_through_ms_;
  std::optional<tables::Stop> stop_;  // Not sealed yet.
  bool first_sight_ = false;          // Likewise.
  bool stopped_ = false;
  bool started_ = false;
  bool halted_ = false;
  int64_t halted_at_ = 0;
};

}  // namespace shopstream::ingest
