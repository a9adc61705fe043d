#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/status.h"
#include "generate/catalogue.h"
#include "generate/event_source.h"
#include "generate/shoppers.h"

namespace shopstream::generate {

struct SyntheticOptions {
  uint64_t seed = 0;
  // Event time of the first purchase, in milliseconds since the Unix epoch; from there it advances
  // with the shoppers' rhythm. Nothing: every event has the time of its creation.
  std::optional<int64_t> start_millis = std::nullopt;
  // Shares of all events, each in [0, 1], together at most 1.
  double late_share = 0;       // Event time two hours to a day in the past.
  double duplicate_share = 0;  // Repeats one of the latest good events unchanged.
  double malformed_share = 0;  // Broken, with every Fault equally likely.
};

// Invalid names the flag that is out of bounds.
Status CheckShares(const SyntheticOptions& options);

// An endless stream of purchases. With a start time, equal options give equal events, ids included,
// regardless of how they are divided into batches.
Result<std::unique_ptr<EventSource>> OpenSyntheticSource(const Catalogue& catalogue,
                                                         const Shoppers& shoppers,
                                                         const SyntheticOptions& options,
                                                         std::function<int64_t()> now_millis);

}  // namespace shopstream::generate
