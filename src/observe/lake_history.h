#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "observe/content_sample.h"
#include "observe/offset_set.h"
#include "observe/progress_ticker.h"

namespace shopstream::observe {

// The lake's rows of one Kafka partition, in all tables.
struct LakeHistory {
  OffsetSet offsets;
  ContentSample sample;
  int64_t committed_to = 0;  // One past the last offset in quarantine or a side table.
};

// Reads all tables once, Bronze as of `bronze`, for the rows of these partitions of the topic.
// Cancelled when a shutdown is requested.
Result<std::map<int32_t, LakeHistory>> ReadLakeHistories(
    lake::ObjectStore* store, const LakeConfig& lake, const lake::Snapshot& bronze,
    const std::string& topic_id, const std::vector<int32_t>& partitions, ProgressTicker* ticker);

}  // namespace shopstream::observe
