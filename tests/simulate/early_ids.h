#pragma once

#include "base/status.h"
#include "lake/delta/table.h"
#include "refine/seen_index.h"

namespace shopstream::simulate {

// A mistake: inserts the ids of a pass that is about to be committed to rejects, which may fail.
Status InsertEarly(const lake::Table& bronze, const lake::Table& rejects,
                   const lake::Changes& changes, refine::SeenIndex* index);

}  // namespace shopstream::simulate
