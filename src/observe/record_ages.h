#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "base/status.h"
#include "model/offset_range.h"

namespace shopstream::observe {

// How old the first record of each range is, in milliseconds by its Kafka timestamp. Left out: it
// has none, or one outside the years 0001 to 9999, or Kafka did not return it within `patience` or
// at all. One range per partition of config.topic.
Result<std::map<int32_t, int64_t>> FirstRecordAges(const KafkaConfig& config,
                                                   const std::vector<OffsetRange>& ranges,
                                                   Millis patience);

}  // namespace shopstream::observe
