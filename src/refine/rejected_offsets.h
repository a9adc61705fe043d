#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "tables/coordinates.h"
#include "tables/replayed_offsets.h"

namespace shopstream::refine {

// By topic id.
using RowOffsets = std::map<std::string, tables::ReplayedOffsets, std::less<>>;
bool Contains(const RowOffsets& offsets, const tables::Coordinates& at);

// The rows that a pass rejected, as the table of rejects holds them. Gone: a file was compacted and
// deleted meanwhile; refresh and repeat.
Result<RowOffsets> ReadRejectedOffsets(lake::ObjectStore* store, const std::string& path,
                                       const lake::Snapshot& rejects, int64_t pass);

}  // namespace shopstream::refine
