#pragma once

#include <string>
#include <vector>

namespace prometheus {
struct MetricFamily;
}

namespace shopstream {

// What Prometheus' client libraries show of every process, under their names: CPU time, memory,
// descriptors and the start. Read from the system at each call; unknown values are left out.
std::vector<prometheus::MetricFamily> CollectProcess();

}  // namespace shopstream
