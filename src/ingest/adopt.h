#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "ingest/pipeline.h"
#include "kafka/record.h"
#include "kafka/topic_metadata.h"
#include "model/offset_range.h"
#include "registry/schema_source.h"
#include "tables/adoption.h"

namespace shopstream::ingest {

// The records of a mirror, outside any group. One thread.
class MirrorLog {
 public:
  virtual ~MirrorLog() = default;
  // The first offset whose record has this timestamp or a later one; -1: there is none.
  virtual Result<int64_t> FirstAt(int32_t partition, int64_t timestamp_ms) = 0;
  // Returns false to stop reading.
  using OnRecords = std::function<Result<bool>(const kafka::RecordBatch& batch)>;
  virtual Status Read(const OffsetRange& range, const OnRecords& on_records) = 0;
};

// Borrowed.
struct AdoptSources {
  kafka::TopicMetadata* topics = nullptr;
  MirrorLog* records = nullptr;
  registry::SchemaSource* registry = nullptr;
};

struct AdoptOptions {
  // The operator knows that the mirror gets no more records of the earlier topic: those that it
  // lacks are only in the lake.
  bool mirror_ended = false;
  std::string earlier_topic_id;  // Empty: the only one that the lake reads.
  // How many of the last offsets of a partition are compared: more if these do not suffice.
  int64_t first_offsets = 2'000, most_offsets = 128'000;
  Millis patience{60'000};  // For one commit, which others win, or which gets no answer.
  std::function<bool()> stop = [] { return false; };
};

struct AdoptedPartition {
  int32_t partition = 0;
  tables::Adoption adoption;
  int64_t compared = 0, ahead = 0, absent = 0;  // See Seam; 0 if it was adopted before.
};
struct AdoptReport {
  std::string topic_id, earlier_topic_id;
  bool already = false;  // It was adopted before; nothing was changed.
  std::vector<AdoptedPartition> partitions;
};

// Makes the lake continue in `topic`, a mirror of the topic that it has read until now. For each
// partition the seam is found by contents (SeamFinder). One commit to Bronze records all seams,
// sets the progress there, and stops the partitions of the earlier topic, so that an ingest which
// still reads it is fenced. Run twice, or twice at the same time, it is done once.
//
// Invalid: a seam cannot be proved, and nothing was changed; the message names each partition, what
// was compared, and what to do.
Result<AdoptReport> AdoptMirror(const OpenLake& lake, const AdoptSources& sources,
                                const std::string& topic, const AdoptOptions& options);

}  // namespace shopstream::ingest
