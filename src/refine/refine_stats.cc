#include "refine/refine_stats.h"

#include <chrono>
#include <utility>

#include "base/format.h"
#include "base/json.h"
#include "base/metrics.h"

namespace shopstream::refine {
namespace {

prometheus::Family<prometheus::Counter>& Counters(const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(Metrics());
}

prometheus::Gauge& NewGauge(const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(Metrics()).Add({});
}

prometheus::Histogram& PassHistogram() {
  return prometheus::BuildHistogram()
      .Name("shopstream_refine_pass_seconds")
      .Help("Duration of a pass, from its first read to its last commit")
      .Register(Metrics())
      .Add({}, prometheus::Histogram::BucketBoundaries{.02, .05, .1, .2, .5, 1, 2, 5, 10, 30, 60});
}

void AddAll(const std::map<std::string, int64_t>& counts, std::map<std::string, int64_t>* sums,
            prometheus::Family<prometheus::Counter>* family, const char* label) {
  for (const auto& [name, count] : counts) {
    (*sums)[name] += count;
    family->Add({{label, name}}).Increment(static_cast<double>(count));
  }
}

}  // namespace

std::string Describe(const PassReport& report) {
  std::string text = "pass " + FormatCount(report.pass) + ": " + Counted(report.rows, "row") +
                     ", " + FormatCount(report.silver) + " to Silver";
  if (report.rejects() == 0) return text;
  text += ", " + FormatCount(report.rejects()) + " rejected (";
  bool first = true;
  for (const auto& [reason, count] : report.rejected) {
    text += (std::exchange(first, false) ? "" : ", ") + reason + " " + FormatCount(count);
  }
  return text + ")";
}

RefineStats::RefineStats()
    : rejected_family_(
          Counters("shopstream_refine_rejected_total", "Rows rejected, by reason; some have two")),
      warned_family_(
          Counters("shopstream_refine_warned_total", "Rows that a warning rule found, by rule")),
      passes_total_(Counters("shopstream_refine_passes_total", "Passes finished").Add({})),
      rows_total_(Counters("shopstream_refine_rows_total", "Rows of Bronze refined").Add({})),
      silver_total_(
          Counters("shopstream_refine_silver_rows_total", "Rows committed to Silver").Add({})),
      lost_total_(Counters("shopstream_refine_lost_total",
                           "Commits refused because another refine was faster")
                      .Add({})),
      without_coordinates_total_(
          Counters("shopstream_refine_rows_without_coordinates_total",
                   "Rows of Bronze without Kafka's coordinates, which are not refined")
              .Add({})),
      lag_rows_(NewGauge("shopstream_refine_lag_rows", "Rows of Bronze not refined yet")),
      standby_gauge_(
          NewGauge("shopstream_refine_standby", "1 while another refine works on the tables")),
      halted_gauge_(NewGauge("shopstream_refine_halted", "1 while a stop rule halts refining")),
      degraded_gauge_(NewGauge("shopstream_refine_rules_degraded",
                               "1 while the rules on disk are broken and older ones are in use")),
      last_pass_seconds_(
          NewGauge("shopstream_refine_last_pass_timestamp_seconds", "Wall clock of the last pass")),
      pass_seconds_(PassHistogram()) {}

void RefineStats::OnPass(const PassReport& report, int64_t wall_clock_ms) {
  const BootClock::time_point now = BootClock::now();
  if (!first_begun_) first_begun_ = now - report.took;
  last_done_ = now;
  last_ = report;
  ++passes_;
  rows_ += report.rows;
  silver_ += report.silver;
  without_coordinates_ += report.without_coordinates;
  AddAll(report.rejected, &rejected_, &rejected_family_, "reason");
  AddAll(report.warned, &warned_, &warned_family_, "rule");
  passes_total_.Increment();
  rows_total_.Increment(static_cast<double>(report.rows));
  silver_total_.Increment(static_cast<double>(report.silver));
  without_coordinates_total_.Increment(static_cast<double>(report.without_coordinates));
  last_pass_seconds_.Set(static_cast<double>(wall_clock_ms) / 1000);
  pass_seconds_.Observe(std::chrono::duration<double>(report.took).count());
}

void RefineStats::OnLost() {
  ++lost_;
  lost_total_.Increment();
}

void RefineStats::SetLag(int64_t rows) {
  lag_ = rows;
  lag_rows_.Set(static_cast<double>(rows));
}

void RefineStats::SetStandby(bool standby) {
  standby_ = standby;
  standby_gauge_.Set(standby ? 1 : 0);
}

void RefineStats::SetHalted(std::string rule) {
  halted_ = std::move(rule);
  halted_gauge_.Set(halted_.empty() ? 0 : 1);
}

void RefineStats::SetDegraded(bool degraded) {
  degraded_ = degraded;
  degraded_gauge_.Set(degraded ? 1 : 0);
}

double RefineStats::seconds() const {
  if (!first_begun_ || !last_done_) return 0;
  return std::chrono::duration<double>(*last_done_ - *first_begun_).count();
}

int64_t RefineStats::rows_per_second() const {
  const double duration = seconds();
  return duration > 0 ? static_cast<int64_t>(static_cast<double>(rows_) / duration) : 0;
}

nlohmann::json ToJson(const RefineStats& stats) {
  return {{"passes", stats.passes()},
          {"rows", stats.rows()},
          {"silver", stats.silver()},
          {"rejects", stats.rows() - stats.silver()},
          {"rejected_by_reason", stats.rejected()},
          {"warned_by_rule", stats.warned()},
          {"rows_without_coordinates", stats.without_coordinates()},
          {"lost_to_another_refine", stats.lost()},
          {"halted", stats.halted()},
          {"seconds", stats.seconds()},
          {"rows_per_second", stats.rows_per_second()}};
}

}  // namespace shopstream::refine
