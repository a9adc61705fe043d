#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/topic_metadata.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "registry/schema_source.h"

namespace shopstream::simulate {

// Mistakes that a protocol like ours invites. Each is made where the program meets a seam, so that
// the program itself has no switch for it; the simulator is to catch every one.
enum class Mistake {
  kNone,
  kFenceByAtLeast,  // A commit is legal where the table is at its begin or anywhere before its end.
  kOffsetsBeforeRows,   // Two commits: progress, then rows.
  kRowsBeforeOffsets,   // Two commits: rows, then progress.
  kBlindRetry,          // After an unknown outcome the same is committed again without a look.
  kNoVacuumMargin,      // Vacuum takes files that no version names, however new.
  kNoSkipSet,           // What is in quarantine already is not looked at.
  kTopicIdAskedOnce,    // The topic's id is taken to be what it was at the start.
  kPutReplaces,         // A look, and then a put that replaces: two writers may both win.
  kReadUncommitted,     // Records of aborted transactions are taken too.
  kMergeRegardless,     // A merge is committed although an input is gone.
  kReplayWithoutFence,  // A replay does not look whether another one came first.
  kOutageIsAVerdict,    // A registry that gives no answer has "no such id".
};
inline constexpr Mistake kAllMistakes[] = {
    Mistake::kFenceByAtLeast,   Mistake::kOffsetsBeforeRows,  Mistake::kRowsBeforeOffsets,
    Mistake::kBlindRetry,       Mistake::kNoVacuumMargin,     Mistake::kNoSkipSet,
    Mistake::kTopicIdAskedOnce, Mistake::kPutReplaces,        Mistake::kReadUncommitted,
    Mistake::kMergeRegardless,  Mistake::kReplayWithoutFence, Mistake::kOutageIsAVerdict,
};

std::string_view Name(Mistake mistake);  // "fence-by-at-least"

// What the program is given in the place of the right one, which it takes over. The right one
// itself where the mistake is another's.
std::unique_ptr<lake::ObjectStore> Mistaken(Mistake mistake,
                                            std::unique_ptr<lake::ObjectStore> right);
std::unique_ptr<lake::Table> Mistaken(Mistake mistake, std::unique_ptr<lake::Table> right);
std::unique_ptr<kafka::TopicMetadata> Mistaken(Mistake mistake,
                                               std::unique_ptr<kafka::TopicMetadata> right);
std::unique_ptr<registry::SchemaSource> Mistaken(Mistake mistake, registry::SchemaSource* right);

}  // namespace shopstream::simulate
