#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/metric.h"
#include "ingest/cut_policy.h"
#include "ingest/cut_writer.h"

namespace shopstream::ingest {

// Counts the work of an ingest: for its progress line, its summary and /metrics. One thread writes.
// An unknown value has no gauge, so that an alert on its absence fires.
class IngestStats {
 public:
  IngestStats();

  void OnRecords(int64_t count, int64_t bytes, BootClock::time_point now);
  void OnDecoded(BootClock::duration took) { decode_seconds_.Observe(took); }
  void OnRebalance(const char* kind) { rebalances_.With({kind}).Add(); }
  void OnCut(CutReason reason);
  void OnCommitted(const CutReport& report, int64_t wall_clock_ms);
  void OnFenced() { fences_.Add(); }
  void OnPaused(bool paused, const std::string& why);
  void OnLost(int64_t records) { expired_.Add(records); }
  void SetBuffered(int64_t bytes) { buffered_bytes_.Set(bytes); }
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

  int64_t records() const { return records_.value(); }
  int64_t rows() const { return rows_.value(); }
  int64_t quarantined() const { return Total(quarantined_); }
  int64_t commits() const { return commits_.value(); }
  int64_t files() const { return files_.value(); }
  int64_t file_bytes() const { return file_bytes_.value(); }
  int64_t fences() const { return fences_.value(); }
  std::map<std::string, int64_t> quarantined_by_cause() const {
    return CountsByLabel(quarantined_);
  }
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
  const Histogram& commit_seconds() const { return commit_seconds_; }
  const Histogram& cut_seconds() const { return cut_seconds_; }
  const Histogram& freshness_seconds() const { return freshness_seconds_; }

 private:
  struct Assigned {
    Gauge lag;      // Cleared while it is unknown.
    Gauge stopped;  // Not set until its start is decided.
    explicit Assigned(int32_t partition);
  };
  std::map<int32_t, Assigned> assigned_;
  bool joined_ = false;
  std::string paused_why_, unreachable_;
  std::optional<BootClock::time_point> first_record_, last_commit_;

  Counter records_{"shopstream_ingest_records_total", "Records read from Kafka"};
  Counter consumed_bytes_{"shopstream_ingest_consumed_bytes_total",
                          "Bytes of the values of records read from Kafka"};
  Counter rows_{"shopstream_ingest_rows_total", "Rows committed to Bronze and its side tables"};
  Counters quarantined_{"shopstream_ingest_quarantined_total",
                        "Records committed to quarantine, by cause",
                        {"cause"}};
  Histogram decode_seconds_{"shopstream_ingest_decode_seconds",
                            "Time to decode and buffer the records of one poll"};
  Counters rebalances_{"shopstream_ingest_rebalances_total",
                       "Changes of the partitions that the group gives to this process, by kind",
                       {"kind"}};
  Counters pauses_{"shopstream_ingest_pauses_total", "Pauses of reading, by reason", {"reason"}};
  Counters cuts_{"shopstream_ingest_cuts_total", "Cuts made, by reason", {"reason"}};
  Counter commits_{"shopstream_ingest_commits_total", "Bronze commits"};
  Counter files_{"shopstream_ingest_files_total", "Data files committed"};
  Counter file_bytes_{"shopstream_ingest_file_bytes_total", "Bytes of data files committed"};
  Counter fences_{"shopstream_ingest_fences_total",
                  "Cuts refused because another consumer was faster"};
  Counter expired_{"shopstream_ingest_expired_offsets_total",
                   "Offsets that Kafka expired before they were read"};
  Gauge assigned_partitions_{"shopstream_ingest_assigned_partitions",
                             "Partitions that the group gave to this process"};
  Gauges paused_{
      "shopstream_ingest_paused", "1 while reading waits for what the reason names", {"reason"}};
  Gauge buffered_bytes_{"shopstream_ingest_buffered_bytes",
                        "Memory of records that are read and not committed"};
  Gauge last_commit_timestamp_{"shopstream_ingest_last_commit_timestamp_seconds",
                               "Wall clock of the last Bronze commit"};
  Histogram commit_seconds_{"shopstream_ingest_commit_seconds", "Duration of a Bronze log commit"};
  Histogram cut_seconds_{"shopstream_ingest_cut_seconds",
                         "Time from sealing a cut to its commit, which makes it readable"};
  Histogram freshness_seconds_{"shopstream_ingest_freshness_seconds",
                               "Time from Kafka's timestamp of a record to its commit"};
};

nlohmann::json ToJson(const IngestStats& stats);

}  // namespace shopstream::ingest
