#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <cstdint>
#include <iterator>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "ingest/cause.h"
#include "ingest/cut_policy.h"
#include "ingest/cut_writer.h"
#include "ingest/latencies.h"

namespace shopstream::ingest {

// Counts the work of an ingest: for its progress line, its summary and /metrics. One thread writes.
// An unknown value has no gauge, so that an alert on its absence fires.
class IngestStats {
 public:
  IngestStats();
  ~IngestStats();
  IngestStats(const IngestStats&) = delete;
  IngestStats& operator=(const IngestStats&) = delete;

  void OnRecords(int64_t count, int64_t bytes, BootClock::time_point now);
  void OnCut(CutReason reason);
  void OnCommitted(const CutReport& report, int64_t wall_clock_ms);
  void OnFenced();
  void OnPaused(bool paused, const std::string& why);
  void OnLost(int64_t records);
  void SetBuffered(int64_t bytes);
  int64_t buffered() const;  // Bytes read and not committed.
  // The group has answered: our partitions are known, even if there are none.
  void OnJoined() { joined_ = true; }
  // The group has ended our session; our next partitions are not known yet.
  void OnSessionEnded() { joined_ = false; }
  // A partition is ours; its lag is unknown until SetLag. Forget: it no longer is, and its gauges
  // disappear, because another consumer shows them now.
  void Assign(int32_t partition);
  void Forget(int32_t partition);
  void SetLag(int32_t partition, std::optional<int64_t> records);  // Nothing: unknown.
  // Only an operator can continue the partition. Until Forget.
  void SetStopped(int32_t partition, bool stopped);
  // Why no broker can be reached; empty: one answers, as far as is known.
  void SetUnreachable(std::string why) { unreachable_ = std::move(why); }

  int64_t records() const { return records_; }
  int64_t rows() const { return rows_; }
  int64_t quarantined() const { return quarantined_; }
  int64_t commits() const { return commits_; }
  int64_t files() const { return files_; }
  int64_t file_bytes() const { return file_bytes_; }
  int64_t fences() const { return fences_; }
  const std::map<std::string, int64_t>& quarantined_by_cause() const { return by_cause_; }
  const std::string& paused_why() const { return paused_why_; }  // Empty: running.
  const std::string& unreachable() const { return unreachable_; }
  bool joined() const { return joined_; }
  int64_t assigned() const { return std::ssize(assigned_); }
  // Records not read yet; nothing: unknown for all assigned partitions, or none is assigned.
  std::optional<int64_t> lag() const;
  int64_t partitions_of_unknown_lag() const;
  int64_t partitions_stopped() const;
  // From the first record delivered to the last commit.
  double seconds() const;
  int64_t records_per_second() const;  // Rows and quarantined records, in that time.
  const Latencies& log_commits() const { return log_commits_; }  // The Delta commit alone.
  const Latencies& cuts() const { return cuts_; }                // Sealed to committed.
  const Latencies& freshness() const { return freshness_; }      // Kafka's timestamp to readable.

 private:
  int64_t records_ = 0, rows_ = 0, quarantined_ = 0, commits_ = 0, files_ = 0, file_bytes_ = 0,
          fences_ = 0;
  std::map<std::string, int64_t> by_cause_;
  struct Assigned {
    std::optional<int64_t> lag;
    bool stopped = false;
    prometheus::Gauge* lag_gauge = nullptr;      // Null while the lag is unknown.
    prometheus::Gauge* stopped_gauge = nullptr;  // Null until its start is decided.
  };
  std::map<int32_t, Assigned> assigned_;
  bool joined_ = false;
  std::string paused_why_, unreachable_;
  std::optional<BootClock::time_point> first_record_, last_commit_;
  Latencies log_commits_, cuts_, freshness_;

  prometheus::Family<prometheus::Counter>& rows_family_;
  prometheus::Family<prometheus::Counter>& quarantined_family_;
  prometheus::Family<prometheus::Counter>& cuts_family_;
  prometheus::Family<prometheus::Gauge>& lag_family_;
  prometheus::Family<prometheus::Gauge>& stopped_family_;
  prometheus::Counter& records_total_;
  prometheus::Counter& consumed_bytes_total_;
  prometheus::Counter& rows_total_;
  prometheus::Counter& commits_total_;
  prometheus::Counter& file_bytes_total_;
  prometheus::Counter& fences_total_;
  prometheus::Counter& lost_total_;
  prometheus::Gauge& assigned_gauge_;
  prometheus::Gauge& paused_gauge_;
  prometheus::Gauge& buffered_bytes_;
  prometheus::Gauge& last_commit_seconds_;
  prometheus::Histogram& commit_seconds_;
};

nlohmann::json ToJson(const IngestStats& stats);

}  // namespace shopstream::ingest
