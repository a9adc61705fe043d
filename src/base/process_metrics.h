#pragma once

#include <string>
#include <vector>

namespace prometheus {
struct MetricFamily;
}

namespace shopstream {

// What Prometheus' client libraries show of every process, under their names: CPU time, memory,
// descriptors and the start. Read from the system at each call; what it does not tell is left out.
std::vector<prometheus::MetricFamily> CollectProcess();

}  // namespace shopstream
