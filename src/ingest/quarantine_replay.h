#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/metric.h"
#include "base/retry.h"
#include "base/status.h"
#include "ingest/cut.h"
#include "ingest/quarantine_decoder.h"
#include "ingest/schema_cache.h"
#include "ingest/side_tables.h"
#include "lake/delta/table.h"

namespace shopstream::ingest {

// Which quarantined records to replay.
struct ReplayFilter {
  std::string cause = "";                          // As in the column; empty: any.
  std::optional<int64_t> since_ms = std::nullopt;  // Kafka's timestamp, inclusive.
  std::optional<int64_t> until_ms = std::nullopt;  // Exclusive.
};

// Records that were quarantined for the same cause, with the same schema.
struct ReplayGroup {
  std::string cause;
  std::optional<int32_t> schema_id;  // Nothing: the frame names none, or there are too many.

  auto operator<=>(const ReplayGroup&) const = default;
};
// What became of them.
struct ReplayCounts {
  int64_t replayed = 0, already_there = 0, awaited = 0, unreadable = 0;
};

// Each number is that of a dry run if Options::dry_run is set: what a replay would do.
struct ReplaySummary {
  // Undecodable bytes may name any schema: above this number, groups are by cause alone.
  static constexpr size_t kMostGroups = 500;

  int64_t replayed = 0;
  int64_t already_there = 0;  // Replayed before, by any process; or erased.
  int64_t awaited = 0;        // At or beyond Bronze's txn: ingest has not passed them yet.
  int64_t commits = 0;
  std::map<std::string, int64_t> unreadable;  // By the current cause.
  std::map<ReplayGroup, ReplayCounts> groups;

  ReplayCounts& GroupOf(const QuarantinedRecord& record);
  int64_t examined() const;
};

// Decodes quarantined records again, with the current registry, tables and settings, and adds those
// that are readable to Bronze, or to the side table of their type, with their original coordinates.
// One thread.
//
// Exactly once, based on these tables alone: the commit that adds rows to a table also adds their
// offsets to the table's tables::ReplayedOffsets and increments a txn, and it is valid only if that
// txn is unchanged since the rows were selected; otherwise they are selected again. A record always
// belongs to the same table. After a kill at any moment, uncommitted work does not exist. Ingest
// never writes these offsets: they are below its txn.
class QuarantineReplay {
 public:
  struct Options {
    int64_t batch_rows = 10'000;       // In one commit.
    int64_t batch_bytes = 32LL << 20;  // Total size of values in one commit.
    int64_t open_partitions = 500;     // In one commit, each with a file.
    bool dry_run = false;              // Decide, count, and change nothing.
    // Limits the time without an answer from storage or registry, or without winning a commit.
    BackoffOptions patience{
        .first = Millis{100}, .longest = Millis{5000}, .give_up_after = Millis{600'000}};
    Millis commit_deadline{10'000};
    std::function<bool()> stop = [] { return false; };
    std::function<void(const ReplaySummary&)> progress = [](const ReplaySummary&) {};
  };

  // All borrowed; they outlive it. `layout` is used if the table stores no reader schema. `sides`
  // may be null: there are none.
  QuarantineReplay(std::shared_ptr<const BronzeLayout> layout, std::string topic,
                   lake::Table* bronze, lake::Table* quarantine, SideTables* sides,
                   SchemaCache* schemas, Options options);

  // Cancelled: `stop` returned true; commits made so far stay, and another run does the rest.
  Result<ReplaySummary> Run(const ReplayFilter& filter);

 private:
  // Records of one topic id.
  struct Batch {
    std::vector<QuarantinedRecord> records;
    int64_t bytes = 0;
  };

  Status TakeFile(const lake::Snapshot& snapshot, const DataFile& file, const ReplayFilter& filter);
  Status Flush(const std::string& topic_id, std::vector<QuarantinedRecord> left);
  void Count(ReplaySummary counted);
  Status TryCut(const std::string& topic_id, std::vector<QuarantinedRecord>* left);
  // The tables that records are added to, and quarantine, as of one moment, by path.
  using Snapshots = std::map<std::string, std::shared_ptr<const lake::Snapshot>>;
  Result<Snapshots> Refresh();
  static void CountDecided(const QuarantinedRecord& record, bool is_readable,
                           ReplaySummary* counted);
  Result<std::vector<QuarantinedRecord*>> Choose(const Snapshots& tables,
                                                 const std::string& topic_id,
                                                 std::vector<QuarantinedRecord>& left,
                                                 ReplaySummary* summary);
  // The table of the rows. A new side table is created.
  Result<lake::Table*> TableOf(const TableRows& rows);
  // Unavailable: nothing was committed, or the outcome is unknown; the next version shows it.
  Status Commit(const Snapshots& base, const Cut& cut, const TableRows& rows);

  const std::string topic_;
  lake::Table* const bronze_;
  lake::Table* const quarantine_;
  SideTables* const sides_;
  const Options options_;
  QuarantineDecoder decoder_;
  std::map<std::string, Batch> batches_;  // By topic id.
  ReplaySummary summary_;
  Counters records_{"shopstream_quarantine_replay_records_total",
                    "Quarantined records that were looked at, by what became of them",
                    {"outcome"}};
  Counter commits_{"shopstream_quarantine_replay_commits_total",
                   "Commits of records that were readable"};
  Counter retries_{"shopstream_quarantine_replay_retries_total",
                   "Attempts that failed and were tried again; each error is in the log"};
};

// Runs to the current end of the quarantine table, with a store and schema source that the caller
// owns. A dry run creates no table. Cancelled: the `stop` of the options.
Result<ReplaySummary> ReplayQuarantine(lake::ObjectStore* store, registry::SchemaSource* registry,
                                       const std::string& topic,
                                       const LayoutOptions& layout_options,
                                       const ReplayFilter& filter,
                                       QuarantineReplay::Options options);
// The same as configured. `options.open_partitions` is the configuration's.
Result<ReplaySummary> RunQuarantineReplay(const Config& config, const ReplayFilter& filter,
                                          QuarantineReplay::Options options);

}  // namespace shopstream::ingest
