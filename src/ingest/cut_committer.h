#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/retry.h"
#include "base/status.h"
#include "ingest/cut.h"
#include "lake/table.h"

namespace shopstream::ingest {

enum class CutOutcome {
  kCommitted,
  kFenced,        // Another consumer moved on a partition of the cut: nothing of it is in Bronze.
  kOutgrown,      // Rows that the table of today takes otherwise. Decode them again.
  kTopicChanged,  // The topic was deleted since the cut was read: its offsets mean nothing now.
  kTooOld,        // Its data files may be taken for orphans soon. Drop it and read it again.
  kAbandoned,     // The caller gave it up. It may or may not stand; the fence tells later.
};

struct CommittedCut {
  CutOutcome outcome = CutOutcome::kAbandoned;
  int64_t version = -1;  // Of Bronze.
  int64_t files = 0;
  int64_t bytes = 0;      // Of data files.
  Millis log_latency{0};  // Of the Bronze commit alone.
};

// Publishes cuts, one after the other. A step that fails for want of storage or brokers is tried
// again with back-off until the cut is abandoned or `patience` ends; no step is made twice once
// it succeeded. One thread.
class CutCommitter {
 public:
  struct Options {
    BackoffOptions patience{
        .first = Millis{100}, .longest = Millis{5000}, .give_up_after = Millis{600'000}};
    Millis commit_deadline{10'000};  // Of one attempt at the log.
  };
  // Kafka's id of the topic as of now.
  using TopicId = std::function<Result<std::string>()>;

  // All borrowed; they outlive it.
  CutCommitter(lake::Table* bronze, lake::Table* quarantine, TopicId topic_id, Options options);

  // `abandoned` is asked before every step and every try; true ends the work. An error means that
  // patience ended: the message says at which step, and what storage said last.
  Result<CommittedCut> Commit(const Cut& cut, const std::function<bool()>& abandoned);

 private:
  struct Job;
  Result<CutOutcome> WriteFiles(Job* job);
  Result<CutOutcome> CheckTopic(Job* job);
  Result<CutOutcome> CommitQuarantine(Job* job);
  Result<CutOutcome> CommitBronze(Job* job);
  static bool FitsTable(const lake::Snapshot& snapshot, Job* job);
  Result<CutOutcome> Persist(const char* what, Job* job,
                             const std::function<Result<CutOutcome>()>& step);

  lake::Table* bronze_;
  lake::Table* quarantine_;
  TopicId topic_id_;
  Options options_;
};

}  // namespace shopstream::ingest
