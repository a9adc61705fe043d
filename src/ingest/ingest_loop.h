#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/retry.h"
#include "base/status.h"
#include "ingest/assignment.h"
#include "ingest/bronze_layout.h"
#include "ingest/catch_up.h"
#include "ingest/completeness.h"
#include "ingest/cut_policy.h"
#include "ingest/cut_writer.h"
#include "ingest/ingest_end.h"
#include "ingest/ingest_stats.h"
#include "ingest/intake.h"
#include "ingest/schema_cache.h"
#include "ingest/side_tables.h"
#include "ingest/start_positions.h"
#include "kafka/record_source.h"
#include "kafka/topic_metadata.h"
#include "lake/delta/table.h"

namespace shopstream::ingest {

struct IngestLimits {
  CutLimits cut;
  // A flush on revoke or stop is abandoned after this time; the fence makes that safe.
  std::chrono::seconds flush_timeout{20};
  // If blocked for longer, partitions are paused: the client fetches no more, and the group sees us
  // poll. Longer than an unknown schema id takes to be confirmed, because a pause drops what the
  // client has fetched.
  Millis pause_after{3000};
};

// The parts that the loop uses; all borrowed, all outlive it.
struct IngestParts {
  std::string topic;
  // The layout for a table that stores no reader schema.
  std::shared_ptr<const BronzeLayout> layout;
  kafka::RecordSource* source = nullptr;
  kafka::TopicMetadata* topics = nullptr;
  lake::Table* bronze = nullptr;
  lake::Table* quarantine = nullptr;
  SideTables* sides = nullptr;
  SchemaCache* schemas = nullptr;
  CutWriter* writer = nullptr;
  IngestStats* stats = nullptr;
};

// Kafka to Bronze, exactly once. The thread that runs it polls, decodes, pauses, seeks and answers
// rebalances; the CutWriter's thread encodes and commits.
class IngestLoop {
 public:
  IngestLoop(IngestParts parts, IngestLimits limits);

  // Runs until `stop` returns true or, if `until_caught_up`, until the lake is at or past the
  // current end of every partition that can be read. Then flushes. An error says why it cannot
  // continue; records that were read but not committed will be read again.
  Result<IngestEnd> Run(bool until_caught_up, const std::function<bool()>& stop);

 private:
  struct Pending {
    kafka::RecordBatch batch;
    std::vector<kafka::PartitionOffset> ends;
    int64_t bytes = 0;  // Total size of values.
    size_t next = 0;    // Records before it are taken.
  };
  enum class Blocker { kNone, kSchema, kMemory, kReplaced };

  Status Step();
  Status HandleReports();
  Status HandleReport(const CutReport& report);
  Status Poll(Millis timeout);
  Status HandleRebalance(const kafka::Rebalance& rebalance);
  Status OnAssigned(const std::vector<int32_t>& partitions);
  Status OnRevoked(const std::vector<int32_t>& partitions, bool lost);

  Result<Blocker> TakePending();
  Result<Blocker> TakeBatch(Pending* pending);
  Result<Blocker> MakeRoom(CutReason reason);
  Status DecideParked();
  void WarnOfOutage();
  void AdvanceToEnds(const std::vector<kafka::PartitionOffset>& ends);
  Status WaitWhileBlocked(Blocker blocker);
  int64_t PendingBytes() const;
  Status SetPaused(bool paused, const char* why);

  void ShowProgress();
  Status CutIfDue();
  Status Seal(CutReason reason);
  // Commits everything read. False: time ran out, or a commit was fenced.
  Result<bool> Flush(CutReason reason);

  // Drops every row that is buffered or in flight, because buffers mix partitions.
  void DropEverything();
  void ScheduleRestart(const std::string& why);
  Status RestartIfDue();
  // Adopts what other consumers have changed in the table; restarts if that is impossible.
  Status AdoptTable();
  // Retries assigned partitions that are not read, each alone.
  Status LookAfterUnread();

  Result<bool> CaughtUp();

  IngestParts parts_;
  IngestLimits limits_;
  Intake intake_;
  StartFinder starts_;
  Assignment assignment_;
  Completeness completeness_;
  std::deque<Pending> pending_;  // Polled, but not taken yet.
  int64_t epoch_ = 0;
  std::optional<BootClock::time_point> filling_since_;
  std::optional<BootClock::time_point> notice_since_;
  BootClock::time_point last_cut_{};
  std::optional<BootClock::time_point> blocked_since_;
  bool paused_ = false;
  bool restart_needed_ = false;
  BootClock::time_point restart_at_{};
  BootClock::time_point last_restart_{};
  Backoff restart_backoff_;
  std::optional<CatchUp> catch_up_;
  BootClock::time_point look_at_lake_at_{};
};

}  // namespace shopstream::ingest
