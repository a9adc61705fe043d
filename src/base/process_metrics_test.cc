#include "base/process_metrics.h"

#include <gtest/gtest.h>
#include <prometheus/metric_family.h>

#include <map>

#include "base/clock.h"

namespace shopstream {
namespace {

std::map<std::string, double> ProcessValues() {
  std::map<std::string, double> values;
  for (const auto& family : CollectProcess()) {
    const prometheus::ClientMetric& metric = family.metric.at(0);
    const bool counts = family.type == prometheus::MetricType::Counter;
    values[family.name] = counts ? metric.counter.value : metric.gauge.value;
  }
  return values;
}

TEST(ProcessMetricsTest, ShowsThisProcess) {
  auto values = ProcessValues();
  EXPECT_EQ(5, values.size());
  EXPECT_GT(values["process_cpu_seconds_total"], 0);
  EXPECT_GT(values["process_resident_memory_bytes"], 1e6);
  EXPECT_GT(values["process_open_fds"], 2);
  EXPECT_LE(values["process_open_fds"], values["process_max_fds"]);
  const double now = static_cast<double>(WallClockMillis()) / 1000;
  EXPECT_LE(values["process_start_time_seconds"], now);
  EXPECT_GT(values["process_start_time_seconds"], now - 3600);
}

TEST(ProcessMetricsTest, TheStartIsTheSameInEachScrape) {
  EXPECT_EQ(ProcessValues()["process_start_time_seconds"],
            ProcessValues()["process_start_time_seconds"]);
}

}  // namespace
}  // namespace shopstream
