#pragma once

#include <vector>

#include "console/api.h"

namespace shopstream::console {

// Brokers and topics.
std::vector<ApiRoute> KafkaRoutes(const World& world);

}  // namespace shopstream::console
