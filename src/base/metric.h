#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/durations.h"

namespace prometheus {
struct ClientMetric;
struct MetricFamily;
}  // namespace prometheus

// The numbers at /metrics. Each is a member of the object that it describes, named and explained
// where it is declared:
//
//   Counter rows_{"shopstream_ingest_rows_total", "Rows committed to Bronze"};
//
// value() is the object's own, for progress lines and summaries; /metrics shows what all objects
// with this name and these labels add up to. When its object is destroyed, a counter or histogram
// keeps its part there, and a gauge disappears. Thread-safe.
namespace shopstream {

// Names follow Prometheus: base units, and _total for counters. One name always has the same type,
// help and labels.
struct MetricName {
  std::string name;
  std::string help;
  std::vector<std::string> labels = {};
};

// One line of /metrics, or a histogram's lines, from construction to destruction.
class Exposed {
 public:
  enum class Kind { kCounter, kGauge, kHistogram };
  // Adds the present value. False: there is none.
  using AddTo = std::function<bool(prometheus::ClientMetric*)>;

  // `values`: of the labels, in their order.
  Exposed(Kind kind, const MetricName& name, const std::vector<std::string>& values, AddTo add_to);
  ~Exposed();
  Exposed(const Exposed&) = delete;
  Exposed& operator=(const Exposed&) = delete;

  // All of the process.
  static std::vector<prometheus::MetricFamily> Collect();
  // Lets /metrics show help and type of a name that has no lines yet.
  static void Announce(Kind kind, const MetricName& name);

 private:
  struct Series;
  struct Book;
  Series* series_;
  AddTo add_to_;
};

class Counter {
 public:
  Counter(std::string name, std::string help)
      : Counter(MetricName{std::move(name), std::move(help)}, std::vector<std::string>()) {}
  Counter(const MetricName& name, const std::vector<std::string>& values);

  void Add(int64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

  static constexpr Exposed::Kind kKind = Exposed::Kind::kCounter;

 private:
  std::atomic<int64_t> value_ = 0;
  Exposed exposed_;  // Last: it reads the value when it is destroyed.
};

// Not shown until it is set.
class Gauge {
 public:
  Gauge(std::string name, std::string help)
      : Gauge(MetricName{std::move(name), std::move(help)}, std::vector<std::string>()) {}
  Gauge(const MetricName& name, const std::vector<std::string>& values);

  void Set(double value) { value_.store(value, std::memory_order_relaxed); }
  template <std::integral Integer>
  void Set(Integer value) {
    Set(static_cast<double>(value));
  }
  void Clear() { Set(kUnknown); }
  std::optional<double> value() const;

  static constexpr Exposed::Kind kKind = Exposed::Kind::kGauge;

 private:
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  std::atomic<double> value_ = kUnknown;
  Exposed exposed_;
};

// Durations. Its name ends in _seconds; all histograms have the same buckets, from 1 ms to 5 min.
class Histogram {
 public:
  Histogram(std::string name, std::string help)
      : Histogram(MetricName{std::move(name), std::move(help)}, std::vector<std::string>()) {}
  Histogram(const MetricName& name, const std::vector<std::string>& values);

  void Observe(BootClock::duration duration, int64_t times = 1);
  // Many at the cost of one lock.
  void Observe(const Durations& durations);
  int64_t QuantileMillis(double share) const;  // As Durations::Quantile.

  static constexpr Exposed::Kind kKind = Exposed::Kind::kHistogram;

 private:
  bool AddTo(prometheus::ClientMetric* metric) const;

  mutable std::mutex mutex_;
  Durations durations_;
  Exposed exposed_;
};

// Metrics of one name that differ in the values of its labels.
template <typename Metric>
class MetricsBy {
 public:
  using Values = std::vector<std::string>;

  MetricsBy(std::string name, std::string help, std::vector<std::string> labels)
      : name_{std::move(name), std::move(help), std::move(labels)} {
    Exposed::Announce(Metric::kKind, name_);
  }

  // The one with these values, made at their first use; lives until Remove.
  Metric& With(const Values& values) {
    const std::lock_guard lock(mutex_);
    std::unique_ptr<Metric>& metric = metrics_[values];
    if (metric == nullptr) metric = std::make_unique<Metric>(name_, values);
    return *metric;
  }
  void Remove(const Values& values) {
    const std::lock_guard lock(mutex_);
    metrics_.erase(values);
  }
  void ForEach(const std::function<void(const Values&, const Metric&)>& visit) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [values, metric] : metrics_) visit(values, *metric);
  }

 private:
  const MetricName name_;
  mutable std::mutex mutex_;
  std::map<Values, std::unique_ptr<Metric>> metrics_;
};

using Counters = MetricsBy<Counter>;
using Gauges = MetricsBy<Gauge>;
using Histograms = MetricsBy<Histogram>;

int64_t Total(const Counters& counters);
// The counts of counters with one label, by its value; without those that counted nothing.
std::map<std::string, int64_t> CountsByLabel(const Counters& counters);

// Observes how long it lives.
class Stopwatch {
 public:
  explicit Stopwatch(Histogram* histogram) : histogram_(histogram) {}
  ~Stopwatch() { histogram_->Observe(BootClock::now() - begun_); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  Histogram* const histogram_;
  const BootClock::time_point begun_ = BootClock::now();
};

}  // namespace shopstream
