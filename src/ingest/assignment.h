#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/retry.h"
#include "base/status.h"
#include "ingest/cut.h"
#include "ingest/history_check.h"
#include "ingest/ingest_stats.h"
#include "ingest/partition_progress.h"
#include "ingest/start_positions.h"
#include "ingest/stuck_partitions.h"
#include "kafka/record_source.h"
#include "tables/partition_state.h"

namespace shopstream::ingest {

// The partitions that the group has assigned to this consumer. Each is in one of these states, and
// none of them holds up another partition:
//
//   waiting   its start is not known yet, because Kafka does not answer for it: asked again
//   checked   the client reads it, but its records are dropped until its history is known
//   read
//   held      Kafka has a batch that cannot be read: tried again from time to time
//   stopped   only an operator can continue it; recorded in the table
class Assignment {
 public:
  // All borrowed; they outlive it.
  Assignment(StartFinder* starts, kafka::RecordSource* source, IngestStats* stats)
      : starts_(starts), topic_(starts->topic()), source_(source), stats_(stats), checks_(source) {}

  bool empty() const { return partitions_.empty(); }
  const std::map<int32_t, PartitionProgress>& partitions() const { return partitions_; }
  // Null: not assigned. Valid until the partition is removed or starts again.
  PartitionProgress* Find(int32_t partition);
  std::vector<int32_t> Numbers() const;
  std::vector<int32_t> Stopped() const;
  // Up to where the partitions are read of which Kafka is known to have the history.
  std::map<int32_t, int64_t> ReadUpTo() const;
  // Those that are not stopped, and why the lake may lack some of their records.
  std::map<int32_t, std::string> Missing() const;

  // Those of which Bronze still gets more from this consumer; all of them if it is `blocked`.
  std::set<int32_t> BusyWith(const lake::Snapshot& bronze, bool blocked) const;

  // Assigned; nothing of it is read before Start.
  void Add(int32_t partition);
  void Remove(int32_t partition);
  // Whether the client has the partitions already.
  enum class Client { kAssigns, kRestarts };
  // Reads each from its start.
  Status Start(const std::vector<StartPosition>& starts, Client client, BootClock::time_point now);
  // Stops reading all of them until they are given another start.
  void StopReading();
  // While paused, the client fetches nothing.
  Status SetPaused(bool paused);

  // Handles everything in a poll's result but the records to take, and removes what belongs to a
  // history check. Not empty: why reading must restart from the lake.
  Result<std::string> Examine(kafka::PollResult* polled, BootClock::time_point now);
  // Stops the partition; the next cut records it in the table.
  Status Stop(int32_t partition, tables::Stop stop);
  // An epoch that decreases from one record to the next proves that the log was replaced. True once
  // per offset: if the epoch still decreases there after a restart, the log is just like that.
  bool IsReplaced(const PartitionProgress& progress, const kafka::RecordView& record);

  struct Unread {
    bool started = false;
    std::string restart = {};  // Not empty: why reading must restart from the lake.
  };
  // Retries the partitions that are not read, each alone: nothing of them is buffered.
  Result<Unread> LookAfterUnread(BootClock::time_point now);

  // See PartitionProgress.
  bool has_notice() const;
  // Adds what was read since the last cut, and the notices.
  void Seal(Cut* cut);
  // In the statistics; unknown while no broker can be reached.
  void ShowLag();

 private:
  struct Waiting {
    std::string why;
    Millis pause{0};
    BootClock::time_point retry_at;
  };
  struct Held {
    int64_t offset = 0;
    std::string why;
    BootClock::time_point retry_at;
  };

  void Hear(const kafka::PollResult& polled, BootClock::time_point now);
  // `asked_for`: how long the last question took; with a leader out of reach, its whole time limit,
  // during which the other partitions wait.
  void Wait(int32_t partition, const std::string& why, BootClock::time_point now, Millis asked_for);
  Result<Unread> StartWaiting(BootClock::time_point now);
  // The batch at `offset` cannot be read, for this reason.
  Status Hold(int32_t partition, int64_t offset, const std::string& why, BootClock::time_point now);
  Status HoldStuck(BootClock::time_point now);
  Status RetryHeld(BootClock::time_point now);
  // Whether an operator has decided about a partition that is stopped or held.
  Result<bool> IsDecided() const;

  StartFinder* const starts_;
  const std::string topic_;
  kafka::RecordSource* const source_;
  IngestStats* const stats_;
  std::map<int32_t, PartitionProgress> partitions_;
  HistoryChecks checks_;
  std::map<int32_t, Waiting> waiting_;
  std::map<int32_t, Held> held_;
  std::map<int32_t, int64_t> replaced_at_;  // See IsReplaced.
  StuckPartitions stuck_;
  BootClock::time_point stuck_looked_at_{};
  BootClock::time_point look_at_{};
  bool paused_ = false;
};

}  // namespace shopstream::ingest
