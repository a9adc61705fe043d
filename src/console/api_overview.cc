#include "console/api_overview.h"

#include <memory>

#include "base/json.h"
#include "console/overview_json.h"
#include "console/pipeline_watch.h"

namespace shopstream::console {

std::vector<ApiRoute> OverviewRoutes(const World& world) {
  const auto watch = std::make_shared<PipelineWatch>(world.config, world.sampler);
  return {
      {"GET", "/api/overview", "The whole pipeline: rates, lag, tables, health, commits, revenue",
       Read([&world, watch](const ApiRequest&) -> Result<nlohmann::ordered_json> {
         return OverviewJson(world.config, {world.sampler.Latest(), watch->health(),
                                            watch->commits(), watch->revenue()});
       })},
      {"GET", "/api/health", "Each component with its state, the reason and the remedy",
       Read([watch](const ApiRequest&) -> Result<nlohmann::ordered_json> {
         return HealthJson(watch->health());
       })},
  };
}

}  // namespace shopstream::console
