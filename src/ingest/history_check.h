#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "ingest/start_positions.h"
#include "kafka/record_source.h"
#include "tables/partition_state.h"

namespace shopstream::ingest {

// Whether Kafka still has the history that the lake was read from. One partition, from its
// assignment to the verdict:
//
//  1. The last record that the lake has taken is read again and compared. If the log has its
//     offset but no record there, it is another history, unless Kafka may remove single records.
//  2. If the record has expired or was removed, or if offsets without a record follow it in the
//     lake, the client compares epochs: it continues at the lake's progress only if the log still
//     has the epoch that was read up to there.
//
// A log that was cut and grew again fails one of the two, unless it is a copy of the same brokers
// that repeats the epochs and ends among the markers that follow the last record: up to that
// record, nothing differs then.
class HistoryCheck {
 public:
  // Nothing: the lake knows nothing to compare with, or the partition is not read at all.
  static std::optional<HistoryCheck> For(const StartPosition& start);

  // Where to assign the partition: at the last record, or where the log starts now.
  int64_t read_from() const { return read_from_; }

  struct Step {
    enum class Kind {
      kWait,
      kPassed,
      kValidate,  // Call RecordSource::Validate with `at`.
      kFailed,    // Another history, for `reason`; `at.offset` is where.
      kStale,     // The log has changed since the start was decided: decide again.
    };
    Kind kind = Kind::kWait;
    kafka::PartitionOffset at = {};
    tables::StopReason reason = tables::StopReason::kNone;
  };
  // For the first item since the assignment, or since Validate; further ones are ignored.
  Step OnRecord(const kafka::RecordView& first);
  Step OnEnd(int64_t offset);
  Step OnTruncated();
  // Whether this is the record that the lake has, read again. Null: no.
  bool compares(const kafka::RecordView* record) const {
    return record != nullptr && last_ && record->offset == last_->offset;
  }

 private:
  explicit HistoryCheck(const StartPosition& start);
  Step PassedBeyondLast();
  Step FoundOtherAt(int64_t offset) const;

  int32_t partition_ = 0;
  std::optional<tables::LastRecord> last_;
  int64_t read_from_ = 0;
  // The epoch to validate with, and where; -1: none is known.
  kafka::PartitionOffset validation_;
  bool last_must_exist_ = false;
  bool validates_all_ = false;  // The last record's own content does not suffice.
  bool validating_ = false;
};

// The running checks. Removes what belongs to them from each poll, so that ingest takes nothing of
// a partition before its verdict.
class HistoryChecks {
 public:
  // Borrowed; it outlives this.
  explicit HistoryChecks(kafka::RecordSource* source) : source_(source) {}

  // Replaces an earlier check of the partition. Returns where to assign it.
  int64_t Start(const StartPosition& start, BootClock::time_point now);
  void Forget(int32_t partition) {
    checks_.erase(partition);
    truncated_once_.erase(partition);
  }
  void ForgetAll() { checks_.clear(); }
  bool Runs(int32_t partition) const { return checks_.contains(partition); }
  std::vector<int32_t> Running() const;

  struct Findings {
    std::map<int32_t, tables::Stop> failed;
    std::vector<int32_t> passed;
    std::vector<int32_t> stale;  // Their starts must be decided again.
  };
  // Calls source->Validate where a check asks for it. Partitions under check are removed from
  // polled->truncated, because the verdict is theirs.
  Findings Look(kafka::PollResult* polled);
  // Those without a verdict for 30 s; each is named once.
  std::vector<int32_t> Overdue(BootClock::time_point now);

 private:
  struct Check {
    HistoryCheck check;
    BootClock::time_point since;
    bool named = false;
  };

  bool Validate(const kafka::PartitionOffset& at);
  // Whether this verdict at the same offset came before. A single one may answer an earlier
  // question of the client, which also asks when a leader changes.
  bool IsConfirmed(const kafka::PartitionOffset& at);

  kafka::RecordSource* const source_;
  std::map<int32_t, Check> checks_;
  std::map<int32_t, int64_t> truncated_once_;
};

}  // namespace shopstream::ingest
