#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "refine/files_in_force.h"
#include "refine/gold_file.h"

namespace shopstream::refine {

// The Gold files in `gold` below the folder, sorted by name; those in the program if it is empty.
// Errors name the file, and its line where there is one.
Result<std::vector<GoldFile>> LoadGoldFiles(const std::string& sql_folder);

// The stamp consists of each file's time and size.
using GoldSource = FileSource<std::vector<GoldFile>>;
GoldSource GoldFilesIn(const std::string& sql_folder);

}  // namespace shopstream::refine
