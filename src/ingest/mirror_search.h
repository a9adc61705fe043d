#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "ingest/adopt.h"
#include "ingest/lake_tail.h"
#include "ingest/quarantine_decoder.h"
#include "ingest/schema_cache.h"
#include "ingest/seam_finder.h"

namespace shopstream::ingest {

// What one partition of the mirror was found to be.
struct MirrorFinding {
  SeamFinder::Verdict verdict = SeamFinder::Verdict::kNoAnchor;
  Seam seam;
  // What was compared: the lake's rows, and the mirror's offsets.
  int64_t rows = 0;
  int64_t first_row = -1, last_row = -1;  // Offsets in the earlier topic; -1: there is none.
  bool complete = false;                  // They are all rows of the partition.
  OffsetRange read;
};

// Compares the lake's last rows with the mirror's records, one partition after the other.
class MirrorSearch {
 public:
  // All borrowed; they outlive it.
  MirrorSearch(const OpenLake& lake, const AdoptSources& sources, const AdoptOptions& options);

  // `earlier`: the id of the topic that the lake has read until now. `span`: the mirror's.
  Result<MirrorFinding> Search(const LakeVersion& version, const std::string& earlier,
                               int32_t partition, kafka::OffsetSpan span);

 private:
  Result<MirrorFinding> Compare(const LakeVersion& version, LakeTail tail, int32_t partition,
                                kafka::OffsetSpan span);
  static MirrorFinding AtEndIfOlder(MirrorFinding finding);
  Result<int64_t> FirstToRead(const LakeTail& tail, int32_t partition, kafka::OffsetSpan span);
  Status AddAll(const LakeVersion& version, const kafka::RecordBatch& batch, SeamFinder* finder);
  Result<std::map<int64_t, int64_t>> HashRows(const LakeVersion& version,
                                              std::vector<QuarantinedRecord>* records);

  const AdoptSources& sources_;
  const AdoptOptions& options_;
  SchemaCache schemas_;
  QuarantineDecoder decoder_;
};

}  // namespace shopstream::ingest
