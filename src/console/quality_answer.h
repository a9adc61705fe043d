#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "console/quality_look.h"

namespace shopstream::console {

// `before`: only days below this date; empty: from the newest on. Rows without a date come last.
nlohmann::ordered_json QualityAnswer(const QualityReport& report, const std::string& before,
                                     size_t days);

}  // namespace shopstream::console
