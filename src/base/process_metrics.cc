#include "base/process_metrics.h"

#include <prometheus/metric_family.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <system_error>

#include "base/clock.h"

namespace shopstream {
namespace {

std::optional<double> CpuSeconds() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return std::nullopt;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::optional<double> ResidentBytes() {
  std::ifstream in("/proc/self/statm");
  int64_t all_pages = 0, resident_pages = 0;
  if (!(in >> all_pages >> resident_pages)) return std::nullopt;
  return static_cast<double>(resident_pages * ::sysconf(_SC_PAGESIZE));
}

std::optional<double> OpenDescriptors() {
  std::error_code error;
  const std::filesystem::directory_iterator all("/proc/self/fd", error);
  if (error) return std::nullopt;
  return static_cast<double>(std::distance(begin(all), end(all)) - 1);  // Not the one to look.
}

std::optional<double> MostDescriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  return static_cast<double>(limit.rlim_cur);
}

// The 22nd field of proc_pid_stat(5), in ticks since the boot; the second one, in parentheses, may
// contain spaces.
std::optional<double> ReadStartTime() {
  std::ifstream in("/proc/self/stat");
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  const size_t after_name = text.rfind(')');
  if (after_name == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(after_name + 1));
  std::string field;
  for (int number = 3; number <= 21; ++number) fields >> field;
  double ticks = 0;
  if (!(fields >> ticks)) return std::nullopt;
  const double since_boot =
      std::chrono::duration<double>(BootClock::now().time_since_epoch()).count();
  const double age = since_boot - ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return static_cast<double>(WallClockMillis()) / 1000 - age;
}

// The same at each call, even if the wall clock is set.
std::optional<double> StartTime() {
  static const std::optional<double> start = ReadStartTime();
  return start;
}

}  // namespace

std::vector<prometheus::MetricFamily> CollectProcess() {
  using prometheus::MetricType;
  std::vector<prometheus::MetricFamily> families;
  const auto add = [&](const char* name, const char* help, MetricType type,
                       std::optional<double> value) {
    if (!value) return;
    prometheus::ClientMetric metric;
    (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = *value;
    families.push_back({name, help, type, {metric}});
  };
  add("process_cpu_seconds_total", "CPU time of the process, user and system", MetricType::Counter,
      CpuSeconds());
  add("process_resident_memory_bytes", "Memory of the process that is in RAM", MetricType::Gauge,
      ResidentBytes());
  add("process_open_fds", "Open file descriptors", MetricType::Gauge, OpenDescriptors());
  add("process_max_fds", "Limit of open file descriptors", MetricType::Gauge, MostDescriptors());
  add("process_start_time_seconds", "Wall clock of the start of the process", MetricType::Gauge,
      StartTime());
  return families;
}

}  // namespace shopstream
