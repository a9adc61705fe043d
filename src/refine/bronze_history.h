#pragma once

#include <optional>
#include <string>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "tables/refine_state.h"

// Offsets identify the rows of Bronze only while it is the table that earlier passes read. One that
// was restored from a backup and has grown since may have other rows, or none, where passes had
// some.
namespace shopstream::refine {

// What identifies the version of the snapshot. Nothing: the log no longer has it.
Result<std::optional<tables::BronzeSeen>> SeeBronze(lake::ObjectStore* store,
                                                    const std::string& path,
                                                    const lake::Snapshot& bronze);

// Whether the version that the last pass saw is still in Bronze's log and the same. Also true if
// an earlier program recorded none. False: the log no longer has it, so that nothing is known of
// what changed since. Invalid: Bronze was restored or replaced.
Result<bool> CheckBronzeHistory(lake::ObjectStore* store, const std::string& path,
                                const lake::Snapshot& bronze,
                                const tables::RefineStanding& rejects);

}  // namespace shopstream::refine
