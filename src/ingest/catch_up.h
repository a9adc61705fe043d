#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "ingest/ends_watch.h"
#include "ingest/ingest_end.h"
#include "ingest/partition_progress.h"
#include "kafka/topic_metadata.h"
#include "lake/delta/table.h"

namespace shopstream::ingest {

// Where an ingest that runs until caught up stops: at the end offsets that the partitions had when
// it started. Partitions added since have no target.
class CatchUpTargets {
 public:
  CatchUpTargets() = default;
  explicit CatchUpTargets(const std::vector<kafka::OffsetSpan>& spans);

  // Nothing: the end of the partition is not known yet.
  void Set(int32_t partition, std::optional<kafka::OffsetSpan> span);
  std::vector<int32_t> Unknown() const;

  // The partitions whose targets Bronze has not reached, no matter which consumer of the group does
  // the work, with their progress. A partition that is stopped is not waited for; an empty one only
  // for its first sight.
  std::map<int32_t, std::optional<int64_t>> Unreached(const lake::Snapshot& bronze,
                                                      const std::string& topic_id) const;
  std::vector<int32_t> Stopped(const lake::Snapshot& bronze, const std::string& topic_id) const;
  // Whether these partitions have been read up to their targets but not completely cut yet.
  bool JustReadBy(const std::map<int32_t, PartitionProgress>& partitions) const;
  bool IsEmpty(int32_t partition) const { return targets_[partition] == 0; }

 private:
  std::vector<std::optional<int64_t>> targets_;  // By partition. 0: it is empty.
};

// Decides when an ingest that runs until caught up is done.
class CatchUp {
 public:
  // How long partitions are waited for that do not move, and brokers that do not answer at first.
  static constexpr Millis kPatience{60'000};

  // Borrows `topics`, which outlives it.
  CatchUp(kafka::TopicMetadata* topics, std::string topic)
      : topics_(topics), topic_(std::move(topic)) {}

  // Takes the current ends as targets; waits for brokers until `stop`. KeyError: there is no such
  // topic.
  Status SetTargets(const std::function<bool()>& stop);
  const CatchUpTargets& targets() const { return targets_; }
  const std::string& topic_id() const { return ends_.topic.id; }  // The topic of the targets.
  const EndsAnswer& ends() const { return ends_; }                // Those of the targets.

  // Done: the lake has reached all targets, or the partitions left have not advanced for kPatience
  // and are not in `busy`, the partitions that this consumer still works on.
  bool IsDone(const lake::Snapshot& bronze, const std::set<int32_t>& busy,
              BootClock::time_point now);
  // Adds the partitions that are left at the end. `reasons`: why this consumer does not read some
  // partitions.
  void Describe(const lake::Snapshot& bronze, const std::map<int32_t, std::string>& reasons,
                IngestEnd* end) const;

 private:
  Status TakeEnds();
  void AskAgain(BootClock::time_point now);

  kafka::TopicMetadata* const topics_;
  const std::string topic_;
  EndsAnswer ends_;
  CatchUpTargets targets_;
  std::map<int32_t, std::string> unanswered_;  // Why the end of a partition is unknown.
  std::map<int32_t, std::optional<int64_t>> unreached_;
  BootClock::time_point unmoved_since_{};
  BootClock::time_point ask_again_at_{};
};

}  // namespace shopstream::ingest
