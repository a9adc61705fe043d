#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/record_source.h"
#include "kafka/topic_metadata.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "registry/schema_source.h"

namespace shopstream::simulate {

// Mistakes that a protocol like ours invites. Each is made at one of the program's interfaces, so
// the program itself needs no switch for it; the simulator must catch every one.
enum class Mistake {
  kNone,
  kFenceByAtLeast,             // Accepts a commit if the table is anywhere before the cut's end.
  kOffsetsBeforeRows,          // Two commits: progress, then rows.
  kRowsBeforeOffsets,          // Two commits: rows, then progress.
  kBlindRetry,                 // After an unknown outcome, commits the same again without checking.
  kNoVacuumMargin,             // Vacuum deletes files that no version names, however new.
  kNoSkipSet,                  // Ignores which records are already in quarantine.
  kTopicIdAskedOnce,           // Assumes that the topic's id never changes after the start.
  kPutReplaces,                // Checks, then puts with replacement: two writers may both win.
  kReadUncommitted,            // Takes records of aborted transactions too.
  kMergeRegardless,            // Commits a merge although an input is no longer live.
  kReplayWithoutFence,         // A replay does not check whether another one came first.
  kOutageIsAVerdict,           // Treats a registry outage as "no such id".
  kNoHistoryCheck,             // Never compares Kafka's log with what was read of it.
  kEpochAlone,                 // Compares leader epochs, but no contents.
  kValidatesWithTheLastEpoch,  // Compares the end of the range by the last record's epoch.
  kStopIsForgotten,            // Stops a partition without a word in the table.
  kNoFirstSight,               // A partition gets its progress with its first record.
  kLossInCommitInfoAlone,      // Does not keep lost ranges among the txns.
  kCorruptBatchSkipped,        // Continues behind a batch that cannot be read.
  kSideWithoutFence,           // Commits to a side table whoever was there before.
  kEndsFromACache,             // Takes the ends that Kafka's log had at the question before.
};
inline constexpr Mistake kAllMistakes[] = {
    Mistake::kFenceByAtLeast,
    Mistake::kOffsetsBeforeRows,
    Mistake::kRowsBeforeOffsets,
    Mistake::kBlindRetry,
    Mistake::kNoVacuumMargin,
    Mistake::kNoSkipSet,
    Mistake::kTopicIdAskedOnce,
    Mistake::kPutReplaces,
    Mistake::kReadUncommitted,
    Mistake::kMergeRegardless,
    Mistake::kReplayWithoutFence,
    Mistake::kOutageIsAVerdict,
    Mistake::kNoHistoryCheck,
    Mistake::kEpochAlone,
    Mistake::kValidatesWithTheLastEpoch,
    Mistake::kStopIsForgotten,
    Mistake::kNoFirstSight,
    Mistake::kLossInCommitInfoAlone,
    Mistake::kCorruptBatchSkipped,
    Mistake::kSideWithoutFence,
    Mistake::kEndsFromACache,
};

std::string_view Name(Mistake mistake);  // "fence-by-at-least"

// Wraps the given object in one that makes the mistake, and takes ownership of it. Returns the
// object itself if the mistake is elsewhere.
std::unique_ptr<lake::ObjectStore> Mistaken(Mistake mistake,
                                            std::unique_ptr<lake::ObjectStore> right);
std::unique_ptr<lake::Table> Mistaken(Mistake mistake, std::unique_ptr<lake::Table> right);
std::unique_ptr<kafka::TopicMetadata> Mistaken(Mistake mistake,
                                               std::unique_ptr<kafka::TopicMetadata> right);
std::unique_ptr<kafka::RecordSource> Mistaken(Mistake mistake,
                                              std::unique_ptr<kafka::RecordSource> right);
std::unique_ptr<registry::SchemaSource> Mistaken(Mistake mistake, registry::SchemaSource* right);

}  // namespace shopstream::simulate
