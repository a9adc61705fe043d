#include "base/metric.h"

#include <arrow/util/logging.h>
#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

#include <array>
#include <cmath>
#include <set>

namespace shopstream {
namespace {

constexpr std::array<Millis, 17> kBounds = {
    Millis{1},      Millis{2},      Millis{5},      Millis{10},      Millis{20},     Millis{50},
    Millis{100},    Millis{200},    Millis{500},    Millis{1'000},   Millis{2'000},  Millis{5'000},
    Millis{10'000}, Millis{20'000}, Millis{60'000}, Millis{120'000}, Millis{300'000}};

prometheus::MetricType TypeOf(Exposed::Kind kind) {
  switch (kind) {
    case Exposed::Kind::kCounter:
      return prometheus::MetricType::Counter;
    case Exposed::Kind::kGauge:
      return prometheus::MetricType::Gauge;
    case Exposed::Kind::kHistogram:
      break;
  }
  return prometheus::MetricType::Histogram;
}

}  // namespace

// The objects with one name and the same labels.
struct Exposed::Series {
  Kind kind = Kind::kCounter;
  std::set<const Exposed*> living;
  // What destroyed ones add up to; nothing: there were none with a value.
  std::optional<prometheus::ClientMetric> ended;
};

// All metrics of the process. A line is never removed: its series may come to life again.
struct Exposed::Book {
  struct Family {
    Kind kind = Kind::kCounter;
    MetricName name;
    std::map<std::vector<std::string>, Series> series;
  };

  Family& Open(Kind kind, const MetricName& name) {
    const auto [found, is_new] = families.try_emplace(name.name);
    Family& family = found->second;
    if (is_new) family = {.kind = kind, .name = name, .series = {}};
    ARROW_CHECK(family.kind == kind && family.name.labels == name.labels)
        << "two kinds of metrics are named " << name.name;
    return family;
  }

  // Never destroyed: objects with static lifetime may have metrics.
  static Book& OfProcess() {
    static auto* const book = new Book;
    return *book;
  }

  std::mutex mutex;
  std::map<std::string, Family> families;
};

Exposed::Exposed(Kind kind, const MetricName& name, const std::vector<std::string>& values,
                 AddTo add_to)
    : add_to_(std::move(add_to)) {
  ARROW_CHECK(values.size() == name.labels.size()) << name.name << " needs a value for each label";
  Book& book = Book::OfProcess();
  const std::lock_guard lock(book.mutex);
  series_ = &book.Open(kind, name).series[values];
  series_->kind = kind;
  series_->living.insert(this);
}

Exposed::~Exposed() {
  const std::lock_guard lock(Book::OfProcess().mutex);
  series_->living.erase(this);
  if (series_->kind == Kind::kGauge) return;
  prometheus::ClientMetric sum = series_->ended.value_or(prometheus::ClientMetric());
  if (add_to_(&sum)) series_->ended = std::move(sum);
}

void Exposed::Announce(Kind kind, const MetricName& name) {
  Book& book = Book::OfProcess();
  const std::lock_guard lock(book.mutex);
  book.Open(kind, name);
}

std::vector<prometheus::MetricFamily> Exposed::Collect() {
  Book& book = Book::OfProcess();
  const std::lock_guard lock(book.mutex);
  std::vector<prometheus::MetricFamily> collected;
  for (const auto& [text, family] : book.families) {
    prometheus::MetricFamily& shown = collected.emplace_back();
    shown.name = text;
    shown.help = family.name.help;
    shown.type = TypeOf(family.kind);
    for (const auto& [values, series] : family.series) {
      prometheus::ClientMetric sum = series.ended.value_or(prometheus::ClientMetric());
      bool has_value = series.ended.has_value();
      for (const Exposed* exposed : series.living) has_value |= exposed->add_to_(&sum);
      if (!has_value) continue;
      for (size_t i = 0; i < values.size(); ++i) {
        sum.label.push_back({family.name.labels[i], values[i]});
      }
      shown.metric.push_back(std::move(sum));
    }
  }
  return collected;
}

Counter::Counter(const MetricName& name, const std::vector<std::string>& values)
    : exposed_(kKind, name, values, [this](prometheus::ClientMetric* metric) {
        metric->counter.value += static_cast<double>(value());
        return true;
      }) {}

Gauge::Gauge(const MetricName& name, const std::vector<std::string>& values)
    : exposed_(kKind, name, values, [this](prometheus::ClientMetric* metric) {
        const std::optional<double> present = value();
        metric->gauge.value += present.value_or(0);
        return present.has_value();
      }) {}

std::optional<double> Gauge::value() const {
  const double value = value_.load(std::memory_order_relaxed);
  return std::isnan(value) ? std::nullopt : std::optional(value);
}

Histogram::Histogram(const MetricName& name, const std::vector<std::string>& values)
    : exposed_(kKind, name, values,
               [this](prometheus::ClientMetric* metric) { return AddTo(metric); }) {}

void Histogram::Observe(BootClock::duration duration, int64_t times) {
  const auto micros = std::chrono::duration_cast<Durations::Micros>(duration);
  const std::lock_guard lock(mutex_);
  durations_.Add(micros, times);
}

void Histogram::Observe(const Durations& durations) {
  const std::lock_guard lock(mutex_);
  durations_.Add(durations);
}

int64_t Histogram::QuantileMillis(double share) const {
  const std::lock_guard lock(mutex_);
  return std::chrono::duration_cast<Millis>(durations_.Quantile(share)).count();
}

bool Histogram::AddTo(prometheus::ClientMetric* metric) const {
  const std::lock_guard lock(mutex_);
  auto& shown = metric->histogram;
  shown.sample_count += static_cast<uint64_t>(durations_.count());
  shown.sample_sum += durations_.sum_seconds();
  shown.bucket.resize(kBounds.size());
  for (size_t i = 0; i < kBounds.size(); ++i) {
    shown.bucket[i].upper_bound = std::chrono::duration<double>(kBounds[i]).count();
    shown.bucket[i].cumulative_count += static_cast<uint64_t>(durations_.CountUpTo(kBounds[i]));
  }
  return true;
}

int64_t Total(const Counters& counters) {
  int64_t total = 0;
  counters.ForEach([&](const auto&, const Counter& counter) { total += counter.value(); });
  return total;
}

std::map<std::string, int64_t> CountsByLabel(const Counters& counters) {
  std::map<std::string, int64_t> counts;
  counters.ForEach([&](const std::vector<std::string>& values, const Counter& counter) {
    if (counter.value() > 0) counts[values.front()] = counter.value();
  });
  return counts;
}

}  // namespace shopstream
