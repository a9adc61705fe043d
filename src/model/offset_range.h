#pragma once

#include <cstdint>

namespace shopstream {

// [begin, end) of one Kafka partition. Ranges are contiguous: begin is the previous end, even if
// Kafka skips offsets (transaction markers, compaction), so that a replay writes no row twice.
struct OffsetRange {
  int32_t partition = 0;
  int64_t begin = 0;
  int64_t end = 0;

  bool empty() const { return begin == end; }
  bool operator==(const OffsetRange&) const = default;
};

}  // namespace shopstream
