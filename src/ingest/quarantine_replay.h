#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/retry.h"
#include "base/status.h"
#include "ingest/cut_builder.h"
#include "ingest/schema_cache.h"
#include "ingest/table_growth.h"
#include "lake/table.h"
#include "model/replayed_offsets.h"

namespace shopstream::ingest {

// Which quarantined records to try again.
struct ReplayFilter {
  std::string cause = "";                          // As the column spells it; empty: any.
  std::optional<int64_t> since_ms = std::nullopt;  // Kafka's timestamp, inclusive.
  std::optional<int64_t> until_ms = std::nullopt;  // Exclusive.
};

struct ReplaySummary {
  int64_t replayed = 0;
  int64_t already_there = 0;  // Replayed before, by whomever.
  int64_t awaited = 0;        // At or beyond Bronze's txn: ingest has yet to pass them.
  int64_t commits = 0;
  std::map<std::string, int64_t> unreadable;  // By today's cause.
};

// Decodes quarantined records again, by the registry, table and settings of today, and brings those
// that can be read into Bronze with their own coordinates. One thread.
//
// Exactly once, by Bronze alone: the commit that brings rows also adds their offsets to the table's
// ReplayedOffsets and counts a txn up, and it is legal only where that txn is what it was when the
// rows were chosen. Whoever comes second chooses again. Killed at any moment, what is not committed
// is not there. Ingest never writes these offsets: they lie below its txn.
class QuarantineReplay {
 public:
  struct Options {
    int64_t batch_rows = 10'000;       // Of one commit.
    int64_t batch_bytes = 32LL << 20;  // Of the values in one commit.
    // Without an answer of storage or registry, or without winning against other writers.
    BackoffOptions patience{
        .first = Millis{100}, .longest = Millis{5000}, .give_up_after = Millis{600'000}};
    Millis commit_deadline{10'000};
    std::function<bool()> stop = [] { return false; };
    std::function<void(const ReplaySummary&)> progress = [](const ReplaySummary&) {};
  };

  // All borrowed; they outlive it. `layout` serves a table that keeps no reader schema.
  QuarantineReplay(std::shared_ptr<const BronzeLayout> layout, std::string topic,
                   lake::Table* bronze, lake::Table* quarantine, SchemaCache* schemas,
                   Options options);

  // Cancelled: `stop` said so; what was committed stays, and running again does the rest.
  Result<ReplaySummary> Run(const ReplayFilter& filter);

 private:
  enum class Outcome { kDone, kTryAgain };
  // Records of one topic id.
  struct Batch {
    std::vector<QuarantinedRecord> records;
    int64_t bytes = 0;
  };

  Status TakeFile(const lake::Snapshot& snapshot, const DataFile& file, const ReplayFilter& filter);
  Status Flush(const std::string& topic_id, Batch batch);
  Result<Outcome> TryBatch(const std::string& topic_id, const Batch& batch);
  Result<std::vector<const QuarantinedRecord*>> Choose(const lake::Snapshot& bronze,
                                                       const std::string& topic_id,
                                                       const Batch& batch, ReplaySummary* summary);
  Result<Cut> Decode(const lake::Snapshot& bronze,
                     const std::vector<const QuarantinedRecord*>& records);
  Status DecideParked();
  Result<Outcome> Commit(const lake::Snapshot& base, const Cut& cut);

  const std::shared_ptr<const BronzeLayout> layout_;
  const std::string topic_;
  lake::Table* const bronze_;
  lake::Table* const quarantine_;
  SchemaCache* const schemas_;
  const Options options_;
  CutBuilder builder_;
  std::map<std::string, Batch> batches_;  // By topic id.
  ReplaySummary summary_;
};

// The replayed offsets that the table remembers. Invalid: it has forgotten them though it counts
// replays, so that nothing can be told from a double any more.
Result<ReplayedOffsets> ReadReplayed(const lake::Snapshot& bronze, const std::string& topic_id);

// To the end of the quarantine of now, on a table and schema source that the caller keeps.
Result<ReplaySummary> ReplayQuarantine(lake::ObjectStore* store, registry::SchemaSource* registry,
                                       const std::string& topic,
                                       const LayoutOptions& layout_options,
                                       const ReplayFilter& filter,
                                       QuarantineReplay::Options options);
// The same as configured.
Result<ReplaySummary> RunQuarantineReplay(const Config& config, const ReplayFilter& filter,
                                          QuarantineReplay::Options options);

}  // namespace shopstream::ingest
