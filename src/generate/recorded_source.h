#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/status.h"
#include "generate/event_source.h"
#include "generate/source_mapping.h"
#include "generate/time_order.h"

namespace shopstream::generate {

struct RecordedOptions {
  // Speed-up factor: events are due this many times faster than they happened, the first one
  // immediately. 0: all are due immediately.
  double speed = 0;
  SortOptions sort = {};
};

// The purchases of a file, in the order of their event time. Streams them: memory does not grow
// with the file, except for a file that must be sorted (see ReadInTimeOrder) and joined files.
Result<std::unique_ptr<EventSource>> OpenRecordedSource(const SourceMapping& mapping,
                                                        const RecordedOptions& options,
                                                        std::function<int64_t()> now_millis);

}  // namespace shopstream::generate
