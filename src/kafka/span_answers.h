#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "kafka/topic_metadata.h"

namespace shopstream::kafka {

// Collects what leaders answer about the offsets of their partitions. A partition that has failed
// is not asked again, so that it costs the others at most one wait.
class SpanAnswers {
 public:
  // `partitions` may repeat none.
  SpanAnswers(std::string topic, std::vector<int32_t> partitions);

  // Fails the partitions that the topic does not have, or that have no leader.
  void ExcludeLeaderless(const std::vector<PartitionState>& states);
  // The partitions that have not failed, in the given order.
  std::vector<int32_t> open() const;
  // `which` is log_start or end.
  void Set(int32_t partition, int64_t OffsetSpan::*which, const Result<int64_t>& answer);
  // The partition's leader did not answer in time.
  void SetSilent(int32_t partition);
  // In the given order. `whole`: the error that ended the asking, if one did.
  std::vector<Result<OffsetSpan>> Finish(const Status& whole) const;

 private:
  Status Silent(int32_t partition) const;

  const std::string topic_;
  const std::vector<int32_t> partitions_;
  std::map<int32_t, OffsetSpan> spans_;  // -1: not answered yet.
  std::map<int32_t, Status> failures_;
};

}  // namespace shopstream::kafka
