#pragma once

#include <cstdint>
#include <map>

#include "base/clock.h"
#include "ingest/assignment.h"
#include "ingest/cut.h"
#include "ingest/ends_watch.h"
#include "ingest/start_positions.h"
#include "kafka/topic_metadata.h"
#include "lake/delta/table.h"

namespace shopstream::ingest {

// Finds the times through which the lake will have everything that Kafka held of the assigned
// partitions. Partitions that are stopped, held, or whose history is being checked keep the time
// that the table has.
class Completeness {
 public:
  // All borrowed; they outlive it.
  Completeness(kafka::TopicMetadata* topics, const StartFinder* starts, Assignment* assignment)
      : starts_(starts), assignment_(assignment), ends_(topics, starts->topic()) {}

  void AskIfDue(BootClock::time_point now);
  // What an ingest that runs until caught up asked at its start, and the table before that.
  void Take(EndsAnswer targets, const lake::Snapshot& bronze);
  // Whether the time of a partition would advance by at least this much.
  bool AdvancesBy(Millis least) const;
  // Adds the times to a cut, once everything that was read is in it or in earlier ones.
  void Seal(Cut* cut);
  // Adds the time of the targets for partitions that the table has up to there, whoever read them
  // and whenever, if that advances it by at least this much.
  void SealTargets(const lake::Snapshot& bronze, Millis least, Cut* cut) const;

 private:
  std::map<int32_t, int64_t> ThroughMillis() const {
    return ends_.CompleteThrough(starts_->topic_id(), assignment_->ReadUpTo());
  }

  const StartFinder* const starts_;
  Assignment* const assignment_;
  EndsWatch ends_;
  BootClock::time_point ask_at_{};
  EndsAnswer targets_;
};

}  // namespace shopstream::ingest
