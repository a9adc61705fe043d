#pragma once

#include <functional>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "kafka/reader.h"
#include "model/offset_range.h"
#include "observe/progress_ticker.h"

namespace shopstream::observe {

using OnRecord = std::function<void(const kafka::RecordView&)>;

// Reads everything. `ranges` are the reader's. If Kafka sends no record for `patience`, the
// partitions that are left fail: see Reader::failed. Cancelled when a shutdown is requested.
Status ReadRanges(kafka::Reader* reader, const std::vector<OffsetRange>& ranges, Millis patience,
                  ProgressTicker* ticker, const OnRecord& on_record);

}  // namespace shopstream::observe
