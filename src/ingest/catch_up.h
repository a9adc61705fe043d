#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ingest/partition_progress.h"
#include "kafka/topic_metadata.h"
#include "lake/delta/table.h"

namespace shopstream::ingest {

// Where an ingest that runs until caught up stops: at the end offsets that the partitions had when
// it started. Partitions added since have no target.
class CatchUpTargets {
 public:
  explicit CatchUpTargets(const std::vector<kafka::OffsetSpan>& spans);

  // Whether Bronze has reached every target, no matter which consumer of the group did the work.
  bool ReachedBy(const lake::Snapshot& bronze, const std::string& topic_id) const;
  // Whether these partitions have been read up to their targets but not completely cut yet.
  bool JustReadBy(const std::map<int32_t, PartitionProgress>& partitions) const;

 private:
  std::vector<int64_t> ends_;  // By partition.
};

}  // namespace shopstream::ingest
