#pragma once

#include <nlohmann/json_fwd.hpp>
#include <ostream>

namespace shopstream {

// Prints a report as JSON: an object on one line, but the elements of its lists on a line each.
void PrintReport(std::ostream& out, const nlohmann::ordered_json& report);

}  // namespace shopstream
