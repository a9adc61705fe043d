#pragma once

#include <nlohmann/json_fwd.hpp>
#include <ostream>
#include <string>

#include "base/spooled_list.h"
#include "base/status.h"

namespace shopstream {

// Prints a report as JSON: an object on one line, but with each list element on its own line.
void PrintReport(std::ostream& out, const nlohmann::ordered_json& report);

// The same of an object, with `list` in place of its member of that name. Invalid: there is no room
// for the list, and nothing is printed; or it cannot be read.
Status PrintReport(std::ostream& out, const nlohmann::ordered_json& report,
                   const std::string& list_name, SpooledList* list);

}  // namespace shopstream
