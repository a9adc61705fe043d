#pragma once

#include <cstdint>
#include <map>

#include "base/clock.h"

namespace shopstream::ingest {

// Notices partitions of which nothing arrives although Kafka has more. The client reports a batch
// whose checksum is wrong, but stays silent about one that it cannot parse.
class StuckPartitions {
 public:
  static constexpr Millis kSilence{60'000};

  // Something of the partition arrived, or reading it restarted.
  void Heard(int32_t partition, BootClock::time_point now) {
    silent_since_.insert_or_assign(partition, now);
  }
  void Forget(int32_t partition) { silent_since_.erase(partition); }
  // `behind`: it is being read, and Kafka has offsets that have not arrived. True if it has been so
  // for kSilence; the next time after another kSilence.
  bool IsStuck(int32_t partition, bool behind, BootClock::time_point now) {
    const auto [since, added] = silent_since_.try_emplace(partition, now);
    if (!behind) since->second = now;
    if (now - since->second < kSilence) return false;
    since->second = now;
    return true;
  }

 private:
  std::map<int32_t, BootClock::time_point> silent_since_;
};

}  // namespace shopstream::ingest
