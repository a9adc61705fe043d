#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "refine/id_hash.h"

namespace shopstream::refine {

// Which rows of a batch are copies of another one among `accepted`, which are positions in the
// batch; one answer for each. `hashes`: their identities. Of rows with the same identity, the first
// by (kafka_timestamp with null first, kafka_topic_id, kafka_partition, kafka_offset) is no copy,
// in whatever order the rows come. Invalid: a row without coordinates, or the batch lacks them.
Result<std::vector<bool>> FindCopies(const arrow::RecordBatch& rows,
                                     const std::vector<int32_t>& accepted,
                                     const std::vector<Hash128>& hashes);

}  // namespace shopstream::refine
