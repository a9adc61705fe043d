#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/status.h"
#include "lake/delta/table.h"
#include "tables/replayed_offsets.h"

// The rows that were removed from a table on purpose, by where in Kafka they came from. The commit
// that removes rows records them in a property of the table for each topic id, in the grammar of
// ReplayedOffsets, so that nobody looks for them or adds them again.
namespace shopstream::tables {

using OffsetsByTopic = std::map<std::string, ReplayedOffsets>;  // By topic id; none is empty.

// Why rows were removed. Only an erased row must not be in any other table either.
enum class Removal {
  kErased,   // shopstream.erased.<topic id>
  kExpired,  // shopstream.expired.<topic id>: with a date that is no longer retained.
};

// Invalid: a property is damaged; the message names it.
Result<OffsetsByTopic> ReadRemoved(const lake::Snapshot& table, Removal removal);
// Those of either kind.
Result<OffsetsByTopic> ReadRemoved(const lake::Snapshot& table);

// The properties that record `more` in addition to what the table records; only those that change.
Result<std::map<std::string, std::string>> RemovedProperties(const lake::Snapshot& table,
                                                             Removal removal,
                                                             const OffsetsByTopic& more);

// The last erase that is done with Bronze. Its property, shopstream.erase, is set by the same
// commit.
struct LastErase {
  int64_t task = 0;   // Number of the pass; 0: there was none.
  int64_t at_ms = 0;  // When it was reserved: numbers begin anew if refine's tables do.
  std::set<std::optional<int32_t>> dates = {};  // Of the rows that went: days since 1970, or null.
};
// Invalid: the property is damaged.
Result<LastErase> ReadLastErase(const lake::Snapshot& bronze);
std::map<std::string, std::string> LastEraseProperty(const LastErase& last);

bool Contains(const OffsetsByTopic& offsets, const std::string& topic_id, int32_t partition,
              int64_t offset);
void Merge(const OffsetsByTopic& more, OffsetsByTopic* offsets);
int64_t Count(const OffsetsByTopic& offsets);

}  // namespace shopstream::tables
