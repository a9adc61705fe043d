#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metric.h"
#include "base/retry.h"
#include "base/status.h"
#include "ingest/cut.h"
#include "ingest/side_tables.h"
#include "lake/delta/table.h"

namespace shopstream::ingest {

enum class CutOutcome {
  kCommitted,
  kFenced,        // Another consumer advanced or stopped a partition of the cut, or an operator
                  // decided about it: none of the cut is in Bronze.
  kOutgrown,      // The current table stores its rows differently. Decode them again.
  kTopicChanged,  // The topic was deleted since: the cut's offsets mean nothing now.
  kTooOld,        // A vacuum may delete its files as orphans. Drop it and read it again.
  kAbandoned,     // The caller abandoned it. It may be committed; the fence decides later.
};

// Why the records of such a cut are read again.
const char* WhyReadAgain(CutOutcome outcome);

struct CommittedCut {
  CutOutcome outcome = CutOutcome::kAbandoned;
  int64_t version = -1;  // Bronze's version.
  int64_t files = 0;
  int64_t bytes = 0;                   // In data files.
  BootClock::duration log_latency{0};  // The Bronze commit alone.
};

// Publishes cuts one after the other: first what quarantine and side tables get, then the rest,
// with the progress, to Bronze. Until Bronze has the progress, the records in the other tables are
// above it, and a consumer that starts there leaves them out; see StartPosition.
//
// A step that fails because storage or brokers are unavailable is retried with back-off until the
// cut is abandoned or `patience` runs out; a step that succeeded is never repeated. One thread.
class CutCommitter {
 public:
  struct Options {
    BackoffOptions patience{
        .first = Millis{100}, .longest = Millis{5000}, .give_up_after = Millis{600'000}};
    Millis commit_deadline{10'000};  // For one attempt at the log.
  };
  // Kafka's current id of the topic.
  using TopicId = std::function<Result<std::string>()>;

  // All borrowed; they outlive it. `sides` may be null: the cuts have no rows for side tables.
  CutCommitter(lake::Table* bronze, lake::Table* quarantine, SideTables* sides, TopicId topic_id,
               Options options);

  // `abandoned` is called before every step and every attempt; true stops the work. An error means
  // that patience ran out; it names the step and the last storage error.
  Result<CommittedCut> Commit(const Cut& cut, const std::function<bool()>& abandoned);

 private:
  struct Job;
  struct First;  // A table that the cut is committed to before Bronze.
  Result<CutOutcome> OpenSides(Job* job);
  Result<CutOutcome> WriteFiles(Job* job);
  Result<CutOutcome> CheckTopic(Job* job);
  Result<CutOutcome> CommitOthers(Job* job);
  Result<CutOutcome> CommitFirst(const First& first, Job* job);
  Result<bool> OthersStandAt(const Job& job, size_t own);
  Result<CutOutcome> CommitBronze(Job* job);
  Result<CutOutcome> RunStep(const char* name, const char* what, Job* job,
                             const std::function<Result<CutOutcome>()>& step);
  void CountConflicts(const lake::CommitResult& result);

  lake::Table* bronze_;
  lake::Table* quarantine_;
  SideTables* sides_;
  TopicId topic_id_;
  Options options_;
  Counters retries_{"shopstream_ingest_retries_total",
                    "Steps of a commit that failed and were tried again, by step",
                    {"step"}};
  Counter conflicts_{"shopstream_ingest_commit_conflicts_total",
                     "Commits repeated on a newer version because another writer was faster"};
};

}  // namespace shopstream::ingest
