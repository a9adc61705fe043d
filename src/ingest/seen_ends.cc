#include "ingest/seen_ends.h"

#include <algorithm>

namespace shopstream::ingest {

void SeenEnds::Add(int64_t at_ms, int64_t end) {
  if (!seen_.empty() && seen_.back().end == end) {
    seen_.back().at_ms = std::max(seen_.back().at_ms, at_ms);
    return;
  }
  seen_.push_back({at_ms, end});
  if (seen_.size() <= kMost) return;
  size_t kept = 0;
  for (size_t i = 0; i < seen_.size(); i += 2) seen_[kept++] = seen_[i];
  seen_.resize(kept);
}

std::optional<int64_t> SeenEnds::CompleteThrough(int64_t next) const {
  std::optional<int64_t> latest;
  for (const Seen& seen : seen_) {
    if (seen.end <= next) latest = std::max(latest.value_or(seen.at_ms), seen.at_ms);
  }
  return latest;
}

}  // namespace shopstream::ingest
