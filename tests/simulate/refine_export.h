#pragma once

#include <string>

#include "base/status.h"
#include "simulate/refine_world.h"

namespace shopstream::simulate {

// Writes the newest version of every table, with its log, to folder/<seed>, and the rules that were
// in force to books.json: by fingerprint, the texts of rules, rates and categories.
Status ExportLake(RefineWorld* world, const std::string& folder);

}  // namespace shopstream::simulate
