#pragma once

#include <string>

#include "base/metrics.h"

namespace shopstream::testing {

// Whether /metrics has a line that begins with `line`.
inline bool PageShows(const std::string& line) {
  return MetricsPage().find("\n" + line) != std::string::npos;
}

// The value of a line there, such as "rows_total{region=\"EU\"}"; 0 if there is none.
inline double PageValue(const std::string& series) {
  const std::string page = MetricsPage();
  const size_t found = page.find("\n" + series + " ");
  return found == std::string::npos ? 0 : std::stod(page.substr(found + series.size() + 2));
}

}  // namespace shopstream::testing
