#include "console/routes.h"

#include <iterator>
#include <utility>

#include "base/json.h"
#include "console/api_groups.h"
#include "console/api_kafka.h"
#include "console/api_labs.h"
#include "console/api_lake.h"
#include "console/api_lineage.h"
#include "console/api_overview.h"
#include "console/api_quality.h"
#include "console/api_schemas.h"
#include "console/api_search.h"
#include "console/api_sql.h"

namespace shopstream::console {
namespace {

using AreaRoutes = std::vector<ApiRoute> (*)(const World&);
constexpr AreaRoutes kAreas[] = {
    OverviewRoutes, KafkaRoutes, SearchRoutes,  GroupRoutes,   SchemaRoutes,
    LakeRoutes,     SqlRoutes,   QualityRoutes, LineageRoutes, LabRoutes,
};

}  // namespace

std::vector<ApiRoute> AllRoutes(const World& world) {
  std::vector<ApiRoute> all;
  for (const AreaRoutes area : kAreas) {
    std::vector<ApiRoute> routes = area(world);
    std::move(routes.begin(), routes.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace shopstream::console
