#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "ingest/row_hash.h"
#include "ingest/seam_finder.h"
#include "lake/delta/table.h"

namespace shopstream::ingest {

// The last records that the lake has of one partition, in the order of Kafka's log.
struct LakeTail {
  std::vector<SeamRow> rows;
  bool complete = false;  // The lake has no others.
};

// One version of all tables, to compare what they have with a mirror.
struct LakeVersion {
  using Version = std::pair<lake::Table*, std::shared_ptr<const lake::Snapshot>>;  // Borrowed.
  Version bronze;
  Version quarantine;
  std::vector<Version> sides;
  RowHasher hasher;  // Knows Bronze and the side tables.
};

// Reads the rows of about the last `offsets` offsets of the partition: in Bronze, in quarantine and
// in side tables, also those above Bronze's progress. If the topic continues another one, and
// has fewer offsets of its own, the last ones of that topic come before them.
Result<LakeTail> ReadLakeTail(const LakeVersion& lake, const std::string& topic_id,
                              int32_t partition, int64_t offsets);

}  // namespace shopstream::ingest
