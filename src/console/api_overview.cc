#include "console/api_overview.h"

#include "base/json.h"

namespace shopstream::console {

std::vector<ApiRoute> OverviewRoutes(const World& world) {
  return {{"GET", "/api/overview", "The pipeline as the last sample saw it",
           Read([&world](const ApiRequest&) -> Result<nlohmann::ordered_json> {
             return observe::ToJson(world.sampler.Latest());
           })}};
}

}  // namespace shopstream::console
