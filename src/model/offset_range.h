#pragma once

#include <cstdint>

namespace shopstream {

// [begin, end) of one Kafka partition. Ranges tile: begin is the previous end, even where Kafka
// skips offsets (transaction markers, compaction), so replay writes no row twice.
struct OffsetRange {
  int32_t partition = 0;
  int64_t begin = 0;
  int64_t end = 0;

  bool empty() const { return begin == end; }
  bool operator==(const OffsetRange&) const = default;
};

}  // namespace shopstream
