#pragma once

#include <string>

#include "base/status.h"
#include "simulate/refine_watch.h"
#include "simulate/refine_world.h"

namespace shopstream::simulate {

// Writes the newest version of every table, with its log, to folder/<seed>. In history.json,
// `books` has the texts of rules, rates and categories by fingerprint, and `restates` the passes
// that are restates.
Status ExportLake(RefineWorld* world, const RefineWatch& watch, const std::string& folder);

}  // namespace shopstream::simulate
