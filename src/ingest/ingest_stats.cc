#include "ingest/ingest_stats.h"

#include <algorithm>
#include <chrono>

#include "base/json.h"
#include "model/calendar.h"

namespace shopstream::ingest {
namespace {

Gauge PartitionGauge(const char* name, const char* help, int32_t partition) {
  return Gauge({name, help, {"partition"}}, {std::to_string(partition)});
}

// What reading may wait for: "lake or brokers" becomes lake_or_brokers.
constexpr const char* kPauseReasons[] = {"registry", "storage", "lake_or_brokers"};

std::string PauseLabel(std::string why) {
  std::ranges::replace(why, ' ', '_');
  return why;
}

double Seconds(BootClock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

IngestStats::Assigned::Assigned(int32_t partition)
    : lag(PartitionGauge("shopstream_ingest_lag_records",
                         "Records of an assigned partition that are not read yet", partition)),
      stopped(PartitionGauge("shopstream_ingest_partition_stopped",
                             "1 if the partition is not read until an operator decides: see "
                             "`shopstream progress show`",
                             partition)) {}

IngestStats::IngestStats() {
  assigned_partitions_.Set(0);
  SetBuffered(0);
  for (const std::string& cause : CauseNames()) quarantined_.With({cause});
  for (const CutReason reason : kCutReasons) cuts_.With({Name(reason)});
  for (const char* kind : {"assigned", "revoked", "lost"}) rebalances_.With({kind});
  for (const char* reason : kPauseReasons) {
    paused_.With({reason}).Set(0);
    pauses_.With({reason});
  }
}

void IngestStats::OnRecords(int64_t count, int64_t bytes, BootClock::time_point now) {
  if (!first_record_) first_record_ = now;
  records_.Add(count);
  consumed_bytes_.Add(bytes);
}

void IngestStats::OnCut(CutReason reason) { cuts_.With({Name(reason)}).Add(); }

void IngestStats::OnCommitted(const CutReport& report, int64_t wall_clock_ms) {
  const CommittedCut& committed = *report.result;
  Durations freshness;
  const auto add = [&](const TableRows& table) {
    rows_.Add(std::ssize(table.kafka_offset));
    for (const int64_t sent : table.kafka_timestamp_ms) {
      if (sent != kNoTimestamp) freshness.Add(Millis{wall_clock_ms - sent});
    }
  };
  add(report.cut.bronze);
  for (const TableRows& side : report.cut.sides) add(side);
  freshness_seconds_.Observe(freshness);
  commits_.Add();
  files_.Add(committed.files);
  file_bytes_.Add(committed.bytes);
  last_commit_ = report.finished_at;
  last_commit_timestamp_.Set(static_cast<double>(wall_clock_ms) / 1000);
  commit_seconds_.Observe(committed.log_latency);
  cut_seconds_.Observe(report.finished_at - report.cut.sealed_at);
  for (const OffsetRange& lost : report.cut.lost) OnLost(lost.end - lost.begin);
  std::map<Cause, int64_t> causes;
  for (const QuarantinedRecord& record : report.cut.quarantined) ++causes[record.cause];
  for (const auto& [cause, count] : causes) {
    quarantined_.With({std::string(Name(cause))}).Add(count);
  }
}

void IngestStats::OnPaused(bool paused, const std::string& why) {
  const std::string before = std::exchange(paused_why_, paused ? why : "");
  if (before == paused_why_) return;
  if (!before.empty()) paused_.With({PauseLabel(before)}).Set(0);
  if (paused_why_.empty()) return;
  paused_.With({PauseLabel(paused_why_)}).Set(1);
  pauses_.With({PauseLabel(paused_why_)}).Add();
}

int64_t IngestStats::buffered() const {
  return static_cast<int64_t>(buffered_bytes_.value().value_or(0));
}

void IngestStats::Assign(int32_t partition) {
  Forget(partition);
  assigned_.try_emplace(partition, partition);
  assigned_partitions_.Set(assigned_.size());
}

void IngestStats::Forget(int32_t partition) {
  assigned_.erase(partition);
  assigned_partitions_.Set(assigned_.size());
}

void IngestStats::SetLag(int32_t partition, std::optional<int64_t> records) {
  const auto found = assigned_.find(partition);
  if (found == assigned_.end()) return;
  records ? found->second.lag.Set(*records) : found->second.lag.Clear();
}

void IngestStats::SetStopped(int32_t partition, bool stopped) {
  const auto found = assigned_.find(partition);
  if (found != assigned_.end()) found->second.stopped.Set(stopped ? 1 : 0);
}

std::optional<int64_t> IngestStats::lag() const {
  std::optional<int64_t> sum;
  for (const auto& [partition, assigned] : assigned_) {
    const auto lag = assigned.lag.value();
    if (lag) sum = sum.value_or(0) + static_cast<int64_t>(*lag);
  }
  return sum;
}

int64_t IngestStats::partitions_of_unknown_lag() const {
  return std::ranges::count_if(assigned_,
                               [](const auto& item) { return !item.second.lag.value(); });
}

int64_t IngestStats::partitions_stopped() const {
  return std::ranges::count_if(assigned_,
                               [](const auto& item) { return item.second.stopped.value() == 1; });
}

double IngestStats::seconds() const {
  if (!first_record_ || !last_commit_) return 0;
  return Seconds(*last_commit_ - *first_record_);
}

int64_t IngestStats::records_per_second() const {
  const double duration = seconds();
  return duration > 0 ? static_cast<int64_t>(static_cast<double>(rows() + quarantined()) / duration)
                      : 0;
}

nlohmann::json ToJson(const IngestStats& stats) {
  const auto quantiles = [](const Histogram& durations) -> nlohmann::json {
    return {{"p50_ms", durations.QuantileMillis(.5)}, {"p99_ms", durations.QuantileMillis(.99)}};
  };
  return {{"rows", stats.rows()},
          {"quarantined", stats.quarantined()},
          {"quarantined_by_cause", stats.quarantined_by_cause()},
          {"commits", stats.commits()},
          {"files", stats.files()},
          {"file_bytes", stats.file_bytes()},
          {"fences", stats.fences()},
          {"seconds", stats.seconds()},
          {"records_per_second", stats.records_per_second()},
          {"log_commit", quantiles(stats.commit_seconds())},
          {"cut", quantiles(stats.cut_seconds())},
          {"freshness", quantiles(stats.freshness_seconds())}};
}

}  // namespace shopstream::ingest
