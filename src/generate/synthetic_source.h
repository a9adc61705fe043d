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
  // Event time of the first purchase, in milliseconds since the Unix epoch; from there on it
  // advances by the shoppers' rhythm. Nothing: every event carries the time it is made at.
  std::optional<int64_t> start_millis = std::nullopt;
  // Shares of all events, each in [0, 1], together at most 1.
  double late_share = 0;       // Event time two hours to a day in the past.
  double duplicate_share = 0;  // One of the latest good events once more, unchanged.
  double malformed_share = 0;  // Broken, every Fault being equally likely.
};

// Invalid names the flag that is out of bounds.
Status CheckShares(const SyntheticOptions& options);

// An endless stream of purchases. With a start time, equal options give equal events, ids
// included, however they are divided into batches.
Result<std::unique_ptr<EventSource>> OpenSyntheticSource(const Catalogue& catalogue,
                                                         const Shoppers& shoppers,
                                                         const SyntheticOptions& options,
                                                         std::function<int64_t()> now_millis);

}  // namespace shopstream::generate
