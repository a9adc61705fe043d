#pragma once

#include <nlohmann/json_fwd.hpp>
#include <ostream>

namespace shopstream {

// Prints a report as JSON: an object on one line, but with each list element on its own line.
void PrintReport(std::ostream& out, const nlohmann::ordered_json& report);

}  // namespace shopstream
