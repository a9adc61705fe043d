#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/clock.h"

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
  void OnLost();
  // Rows of Bronze that are not refined yet.
  void SetLag(int64_t rows);
  void SetStandby(bool standby);
  // The rule that halts refining; empty: none.
  void SetHalted(std::string rule);
  // Whether files on disk cannot be used, so that earlier ones are in force.
  void SetDegraded(bool degraded);

  int64_t passes() const { return passes_; }
  int64_t rows() const { return rows_; }
  int64_t silver() const { return silver_; }
  int64_t lost() const { return lost_; }
  int64_t without_coordinates() const { return without_coordinates_; }
  std::optional<int64_t> lag() const { return lag_; }  // Nothing: not known yet.
  bool standby() const { return standby_; }
  bool degraded() const { return degraded_; }
  const std::string& halted() const { return halted_; }
  const std::map<std::string, int64_t>& rejected() const { return rejected_; }
  const std::map<std::string, int64_t>& warned() const { return warned_; }
  const std::optional<PassReport>& last() const { return last_; }
  // From the first pass to the last.
  double seconds() const;
  int64_t rows_per_second() const;

 private:
  int64_t passes_ = 0, rows_ = 0, silver_ = 0, lost_ = 0, without_coordinates_ = 0;
  std::optional<int64_t> lag_;
  bool standby_ = false, degraded_ = false;
  std::string halted_;
  std::map<std::string, int64_t> rejected_, warned_;
  std::optional<PassReport> last_;
  std::optional<BootClock::time_point> first_begun_, last_done_;

  prometheus::Family<prometheus::Counter>& rejected_family_;
  prometheus::Family<prometheus::Counter>& warned_family_;
  prometheus::Counter& passes_total_;
  prometheus::Counter& rows_total_;
  prometheus::Counter& silver_total_;
  prometheus::Counter& lost_total_;
  prometheus::Counter& without_coordinates_total_;
  prometheus::Gauge& lag_rows_;
  prometheus::Gauge& standby_gauge_;
  prometheus::Gauge& halted_gauge_;
  prometheus::Gauge& degraded_gauge_;
  prometheus::Gauge& last_pass_seconds_;
  prometheus::Histogram& pass_seconds_;
};

nlohmann::json ToJson(const RefineStats& stats);

}  // namespace shopstream::refine
