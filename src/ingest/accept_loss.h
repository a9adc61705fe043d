#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "model/offset_range.h"
#include "tables/partition_state.h"

namespace shopstream::ingest {

// What an operator gives up so that a partition is read again.
struct LossToAccept {
  std::string topic, topic_id;
  int64_t next = 0;  // The progress that the operator was shown.
  OffsetRange lost;  // Up to `next`, or up to `until`.
  // Offsets of `lost` that Bronze counts as empty. They are part of the loss from now on.
  tables::EmptyOffsets empty;
  // Continue here, above `next`, although nothing between was read: past a record that cannot be
  // fetched. Nothing: continue at `next`.
  std::optional<int64_t> until;
};

enum class AcceptOutcome {
  kAccepted,
  kNotStopped,  // Ingest reads the partition, and `until` is not set: there is nothing to accept.
  kProgressMoved,  // The progress has changed since the operator saw it.
};

// Records the loss in Bronze and lifts the partition's stop, in one commit. Ingest then continues
// at `next`, or at `until`. Unavailable: the lake does not answer, and it is unknown whether the
// loss was accepted; the same call finds out.
Result<AcceptOutcome> AcceptLoss(lake::Table* bronze, const LossToAccept& loss,
                                 Millis patience = Millis{60'000});

}  // namespace shopstream::ingest
