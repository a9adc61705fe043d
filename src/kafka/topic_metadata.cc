#include "kafka/topic_metadata.h"

#include <numeric>

namespace shopstream::kafka {

std::vector<int32_t> AllPartitions(size_t count) {
  std::vector<int32_t> partitions(count);
  std::iota(partitions.begin(), partitions.end(), 0);
  return partitions;
}

}  // namespace shopstream::kafka
