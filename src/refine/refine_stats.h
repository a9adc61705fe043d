#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/metric.h"
#include "base/probes.h"
#include "refine/rules.h"

namespace shopstream::refine {

// What one pass did.
struct PassReport {
  int64_t pass = 0;
  int64_t rows = 0;
  int64_t silver = 0;
  std::map<std::string, int64_t> rejected = {};  // By reason; a row may have several.
  std::map<std::string, int64_t> warned = {};    // By rule.
  int64_t without_coordinates = 0;               // Rows of Bronze that no pass can take.
  Millis took{0};

  int64_t rejects() const { return rows - silver; }
};

// "pass 812: 10,240 rows, 9,871 to Silver, 369 rejected (duplicate 40, quantity_range 329)".
std::string Describe(const PassReport& report);

// Counts the work of a refine: for its progress line, its summary and /metrics. One thread writes.
class RefineStats {
 public:
  RefineStats();

  void OnPass(const PassReport& report, int64_t wall_clock_ms);
  // Another refine committed the pass first, or finished one of its steps.
  void OnLost() { lost_.Add(); }
  // Shows a count for every reason and warning of these rules, from 0.
  void ShowRules(const Rules& rules);
  // Rows of Bronze that are not refined yet.
  void SetLag(int64_t rows) { lag_.Set(rows); }
  void SetStandby(bool standby) { standby_.Set(standby ? 1 : 0); }
  // How far an erase has searched: "bronze-events, 3 of 40 files"; empty: none is at work.
  void SetErasing(std::string progress) { erasing_ = std::move(progress); }
  // The rule that halts refining; empty: none.
  void SetHalted(std::string rule);
  // Why the last step failed and is tried again; empty: it did not.
  void SetRetried(std::string why);
  // Whether files on disk cannot be used, so that earlier ones are in force.
  void SetDegraded(bool degraded) { degraded_.Set(degraded ? 1 : 0); }

  // Runs a step, as a sign of life and with its duration. `table`: for steps that differ by table.
  template <typename Work>
  auto Timed(const char* step, const std::string& table, const Work& work) {
    Probes::OfProcess().Beat();
    const Stopwatch watch(&step_seconds_.With({step, table}));
    return work();
  }

  int64_t passes() const { return passes_.value(); }
  int64_t rows() const { return rows_.value(); }
  int64_t silver() const { return silver_.value(); }
  int64_t lost() const { return lost_.value(); }
  int64_t without_coordinates() const { return without_coordinates_.value(); }
  std::optional<int64_t> lag() const;  // Nothing: not known yet.
  bool standby() const { return standby_.value() == 1; }
  bool degraded() const { return degraded_.value() == 1; }
  const std::string& retried_why() const { return retried_why_; }
  const std::string& halted() const { return halted_rule_; }
  const std::string& erasing() const { return erasing_; }
  std::map<std::string, int64_t> rejected() const { return CountsByLabel(rejected_); }
  std::map<std::string, int64_t> warned() const { return CountsByLabel(warned_); }
  const std::optional<PassReport>& last() const { return last_; }
  // From the first pass to the last.
  double seconds() const;
  int64_t rows_per_second() const;

 private:
  std::string halted_rule_, retried_why_, erasing_;
  std::optional<PassReport> last_;
  std::optional<BootClock::time_point> first_begun_, last_done_;

  Counter passes_{"shopstream_refine_passes_total", "Passes finished"};
  Counter rows_{"shopstream_refine_rows_total", "Rows of Bronze refined"};
  Counter silver_{"shopstream_refine_silver_rows_total", "Rows committed to Silver"};
  Counters rejected_{"shopstream_refine_rejected_total",
                     "Rows rejected, by reason; a row may have several",
                     {"reason"}};
  Counters warned_{
      "shopstream_refine_warned_total", "Rows that a warning rule found, by rule", {"rule"}};
  Counter lost_{"shopstream_refine_lost_total",
                "Commits refused because another refine was faster"};
  Counter retries_{"shopstream_refine_retries_total",
                   "Steps that failed and were tried again; each error is in the log"};
  Counter without_coordinates_{
      "shopstream_refine_rows_without_coordinates_total",
      "Rows of Bronze that are not refined because Kafka's coordinates are missing"};
  Gauge lag_{"shopstream_refine_lag_rows", "Rows of Bronze not refined yet"};
  Gauge standby_{"shopstream_refine_standby", "1 while another refine works on the tables"};
  Gauge halted_{"shopstream_refine_halted", "1 while a stop rule halts refining"};
  Gauge degraded_{"shopstream_refine_rules_degraded",
                  "1 while files on disk cannot be used and earlier ones are in force"};
  Gauge last_pass_timestamp_{"shopstream_refine_last_pass_timestamp_seconds",
                             "Wall clock of the last pass"};
  Histograms step_seconds_{"shopstream_refine_step_seconds",
                           "Duration of a step of a pass or task, by step; of gold, also by table",
                           {"step", "table"}};
  Histogram pass_seconds_{"shopstream_refine_pass_seconds",
                          "Duration of a pass, from its first read to its last commit"};
};

nlohmann::json ToJson(const RefineStats& stats);

}  // namespace shopstream::refine
