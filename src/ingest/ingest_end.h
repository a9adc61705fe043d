#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace shopstream::ingest {

// How an ingest ended.
struct IngestEnd {
  // It was asked to run until caught up, but was stopped before that.
  bool interrupted = false;
  // Everything that was read is committed.
  bool flushed = true;
  // Partitions that only an operator can continue: those of the topic if it ran until caught up,
  // otherwise those that it was assigned.
  std::vector<int32_t> stopped = {};
  // If it ran until caught up: other partitions that the lake does not have up to their ends, and
  // why.
  std::map<int32_t, std::string> missing = {};
};

}  // namespace shopstream::ingest
