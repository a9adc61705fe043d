#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/status.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/table.h"
#include "tables/progress.h"
#include "tables/replayed_offsets.h"

// What the tables that refine fills record about it: rejects, Silver and each Gold table. A pass is
// complete when all of them have its number.
//
//   appId := "shopstream-refine"                           number of the last pass that it holds
//          | "shopstream-refine/" topic-id "/" partition   Bronze is refined below this offset
//          | "shopstream-refine/bronze-version"            the last Bronze version refined as a
//                                                          whole; only makes a pass cheaper
//          | "shopstream-refine/bronze-seen"              the Bronze version that the last pass saw
//          | "shopstream-refine/bronze-seen-digest"       and what identifies it
//          | "shopstream-refine/complete-through"          ms since 1970, see complete_through_ms
//          | "shopstream-refine/author"                    random number of the run that made it
//          | "shopstream-refine/task"                      number of the newest task: first in
//                                                          rejects, which reserve it
//
// Gold has the pass, complete-through and author alone. docs/refine.md has the protocol.
namespace shopstream::tables {

// A version of Bronze, and a digest of its table id and commit: the same version with another
// digest is of another history, because Bronze was restored or replaced.
struct BronzeSeen {
  int64_t version = 0;
  int64_t digest = 0;

  bool operator==(const BronzeSeen&) const = default;
};

struct RefineStanding {
  std::optional<int64_t> pass;                      // Nothing: none, not even an empty one.
  std::map<ProgressKey, int64_t> ends;              // A partition that is missing: 0.
  std::map<std::string, ReplayedOffsets> replayed;  // By topic id: those that are refined.
  std::optional<int64_t> bronze_version;
  std::optional<BronzeSeen> bronze_seen;  // By the last pass; nothing: an earlier program made it.
  // Everything that Kafka received before this time is in the table; unknown at first.
  std::optional<int64_t> complete_through_ms;
  std::optional<int64_t> author;
  int64_t task = 0;  // 0: there was none.
};

// Invalid: a property is damaged; the message names it.
Result<RefineStanding> ReadRefineStanding(const lake::Snapshot& table);

// The number of the pass that the table holds; see RefineStanding::pass.
std::optional<int64_t> RefinePass(const lake::Snapshot& table);
// The number that this entry of its log gives it; nothing: it is no step of a pass.
std::optional<int64_t> RefinePass(const lake::LogEntry& entry);

// RefineStanding::task alone, and the txn that records it.
int64_t RefineTaskPass(const lake::Snapshot& table);
std::pair<std::string, int64_t> RefineTaskTxn(int64_t pass);

// The txns that record it. `replayed` is not one of them, see RefineProperties.
std::map<std::string, int64_t> RefineTxns(const RefineStanding& standing);
// The properties that record `replayed`: only those that the table does not have yet in this form,
// because a commit that sets a property conflicts with other programs that append.
std::map<std::string, std::string> RefineProperties(const RefineStanding& standing,
                                                    const lake::Snapshot& table);

}  // namespace shopstream::tables
