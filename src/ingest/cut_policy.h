#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace shopstream::ingest {

struct CutLimits {
  int64_t batch_size = 50;           // Rows of one partition value.
  Millis commit_interval{1000};      // Shortest time between cuts by size.
  Millis batch_timeout{30000};       // Longest wait of a row, with or without traffic.
  int64_t filling_bytes = 32 << 20;  // Maximum memory of the filling cut.
  int64_t open_partitions = 500;     // Bronze partitions in one cut: each costs a file.
  // How much the time through which the table is complete must advance for a cut without records,
  // which is also the shortest time to one.
  Millis heartbeat{60'000};
};

struct Filling {
  int64_t fullest_value_rows = 0;
  int64_t bytes = 0;
  int64_t open_partitions = 0;
  // When the first record since the last cut was taken; nothing if there is none.
  std::optional<BootClock::time_point> since;
  // When a partition first had a notice for the table besides its records.
  std::optional<BootClock::time_point> notice_since = {};
  // Whether the time through which the table is complete advances by `heartbeat`.
  bool advances = false;
};

enum class CutReason {
  kSize,
  kAge,
  kMemory,
  kPartitions,
  kCaughtUp,
  kRevoke,
  kStop,
  kNotice,
  kHeartbeat
};
inline constexpr CutReason kCutReasons[] = {
    CutReason::kSize,       CutReason::kAge,      CutReason::kMemory,
    CutReason::kPartitions, CutReason::kCaughtUp, CutReason::kRevoke,
    CutReason::kStop,       CutReason::kNotice,   CutReason::kHeartbeat};
const char* Name(CutReason reason);

// Whether to cut now. The interleaving of partitions, partition values, dates or schema versions
// does not matter.
std::optional<CutReason> DueCut(const Filling& filling, const CutLimits& limits,
                                BootClock::time_point last_cut, BootClock::time_point now);

}  // namespace shopstream::ingest
