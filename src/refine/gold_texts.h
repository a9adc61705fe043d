#pragma once

#include <string_view>
#include <utility>
#include <vector>

namespace shopstream::refine {

// The files of sql/gold, by name without ".sql", as they were when the program was built.
std::vector<std::pair<std::string_view, std::string_view>> GoldTexts();

}  // namespace shopstream::refine
