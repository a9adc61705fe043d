#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lake/delta/table_history.h"

namespace shopstream::console {

// How long records waited from Kafka's timestamp until a commit of Bronze made them readable.
struct Freshness {
  std::optional<double> p50_seconds, p99_seconds;  // Nothing: no commit brought records.
};

// An estimate from the log alone: a commit names, for each partition, its last offset and that
// record's timestamp. The records between two commits are taken to be evenly spaced in time, which
// is exact for one record. `newest_first`: versions of Bronze without a gap; those committed before
// `since_ms` only serve as the predecessor of the next.
Freshness EstimateFreshness(const std::vector<lake::VersionRecord>& newest_first, int64_t since_ms);

}  // namespace shopstream::console
