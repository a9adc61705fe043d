#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "base/config.h"
#include "console/pipeline_watch.h"
#include "observe/sample.h"

namespace shopstream::console {

// All that the overview shows, as it was last seen.
struct PipelineSeen {
  observe::Sample sample;
  HealthReport health;
  observe::Seen<RecentCommits> commits;
  observe::Seen<std::vector<refine::RevenueHour>> revenue;
};

// The answer of GET /api/overview. Unknown is null, beside a text "unknown" that says why.
nlohmann::ordered_json OverviewJson(const Config& config, const PipelineSeen& seen);
// The answer of GET /api/health.
nlohmann::ordered_json HealthJson(const HealthReport& health);

}  // namespace shopstream::console
