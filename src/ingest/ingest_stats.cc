#include "ingest/ingest_stats.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

#include "base/json.h"
#include "base/metrics.h"
#include "model/calendar.h"

namespace shopstream::ingest {
namespace {

prometheus::Family<prometheus::Counter>& Counters(const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(Metrics());
}

prometheus::Family<prometheus::Gauge>& Gauges(const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(Metrics());
}

prometheus::Histogram& CommitHistogram() {
  return prometheus::BuildHistogram()
      .Name("shopstream_ingest_commit_seconds")
      .Help("Duration of a Bronze log commit")
      .Register(Metrics())
      .Add({}, prometheus::Histogram::BucketBoundaries{.002, .005, .01, .02, .05, .1, .2, .5, 1, 2,
                                                       5, 10});
}

// Shared by all ingests of a process, so that one of them does not remove a gauge that another one
// still sets. A program has one ingest; tests have more.
class PartitionGauges {
 public:
  using Family = prometheus::Family<prometheus::Gauge>;

  prometheus::Gauge* Acquire(Family* family, int32_t partition) {
    const std::lock_guard lock(mutex_);
    prometheus::Gauge* const gauge = &family->Add({{"partition", std::to_string(partition)}});
    ++users_[gauge];
    return gauge;
  }
  void Release(Family* family, prometheus::Gauge* gauge) {
    const std::lock_guard lock(mutex_);
    if (gauge == nullptr || --users_[gauge] > 0) return;
    users_.erase(gauge);
    family->Remove(gauge);
  }

 private:
  std::mutex mutex_;
  std::map<prometheus::Gauge*, int> users_;
};

PartitionGauges& SharedGauges() {
  static PartitionGauges gauges;
  return gauges;
}

double Seconds(BootClock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

IngestStats::IngestStats()
    : rows_family_(
          Counters("shopstream_ingest_rows_total", "Rows committed to Bronze and its side tables")),
      quarantined_family_(Counters("shopstream_ingest_quarantined_total",
                                   "Records committed to quarantine, by cause")),
      cuts_family_(Counters("shopstream_ingest_cuts_total", "Cuts made, by reason")),
      lag_family_(Gauges("shopstream_ingest_lag_records", "Records of a partition not read yet")),
      stopped_family_(Gauges("shopstream_ingest_partition_stopped",
                             "1 if the partition is not read: see `shopstream progress show`")),
      records_total_(
          Counters("shopstream_ingest_records_total", "Records read from Kafka").Add({})),
      consumed_bytes_total_(
          Counters("shopstream_ingest_consumed_bytes_total", "Bytes of values read").Add({})),
      rows_total_(rows_family_.Add({})),
      commits_total_(Counters("shopstream_ingest_commits_total", "Bronze commits").Add({})),
      file_bytes_total_(
          Counters("shopstream_ingest_file_bytes_total", "Bytes of data files committed").Add({})),
      fences_total_(Counters("shopstream_ingest_fences_total",
                             "Cuts refused because another consumer was faster")
                        .Add({})),
      lost_total_(Counters("shopstream_ingest_expired_offsets_total",
                           "Offsets that Kafka expired before they were read")
                      .Add({})),
      assigned_gauge_(
          Gauges("shopstream_ingest_assigned_partitions", "Partitions that the group gave to us")
              .Add({})),
      paused_gauge_(Gauges("shopstream_ingest_paused", "1 while reading is paused").Add({})),
      buffered_bytes_(
          Gauges("shopstream_ingest_buffered_bytes", "Memory of filling and in-flight cuts")
              .Add({})),
      last_commit_seconds_(Gauges("shopstream_ingest_last_commit_timestamp_seconds",
                                  "Wall clock of the last Bronze commit")
                               .Add({})),
      commit_seconds_(CommitHistogram()) {}

IngestStats::~IngestStats() {
  while (!assigned_.empty()) Forget(assigned_.begin()->first);
}

void IngestStats::OnRecords(int64_t count, int64_t bytes, BootClock::time_point now) {
  if (!first_record_) first_record_ = now;
  records_ += count;
  records_total_.Increment(static_cast<double>(count));
  consumed_bytes_total_.Increment(static_cast<double>(bytes));
}

void IngestStats::OnCut(CutReason reason) {
  cuts_family_.Add({{"reason", Name(reason)}}).Increment();
}

void IngestStats::OnCommitted(const CutReport& report, int64_t wall_clock_ms) {
  const CommittedCut& committed = *report.result;
  int64_t rows = 0;
  const auto add = [&](const TableRows& table) {
    rows += std::ssize(table.kafka_offset);
    for (int64_t sent : table.kafka_timestamp_ms) {
      if (sent != kNoTimestamp) freshness_.Add(wall_clock_ms - sent);
    }
  };
  add(report.cut.bronze);
  for (const TableRows& side : report.cut.sides) add(side);
  rows_ += rows;
  ++commits_;
  files_ += committed.files;
  file_bytes_ += committed.bytes;
  last_commit_ = report.finished_at;
  log_commits_.Add(committed.log_latency.count());
  cuts_.Add(std::chrono::duration_cast<Millis>(report.finished_at - report.cut.sealed_at).count());
  for (const OffsetRange& lost : report.cut.lost) OnLost(lost.end - lost.begin);
  std::map<Cause, int64_t> causes;
  for (const QuarantinedRecord& record : report.cut.quarantined) ++causes[record.cause];
  for (const auto& [cause, count] : causes) {
    const std::string name(Name(cause));
    quarantined_ += count;
    by_cause_[name] += count;
    quarantined_family_.Add({{"cause", name}}).Increment(static_cast<double>(count));
  }
  rows_total_.Increment(static_cast<double>(rows));
  commits_total_.Increment();
  file_bytes_total_.Increment(static_cast<double>(committed.bytes));
  commit_seconds_.Observe(static_cast<double>(committed.log_latency.count()) / 1000);
  last_commit_seconds_.Set(static_cast<double>(wall_clock_ms) / 1000);
}

void IngestStats::OnFenced() {
  ++fences_;
  fences_total_.Increment();
}

void IngestStats::OnPaused(bool paused, const std::string& why) {
  paused_why_ = paused ? why : "";
  paused_gauge_.Set(paused ? 1 : 0);
}

void IngestStats::OnLost(int64_t records) { lost_total_.Increment(static_cast<double>(records)); }

void IngestStats::SetBuffered(int64_t bytes) { buffered_bytes_.Set(static_cast<double>(bytes)); }

int64_t IngestStats::buffered() const { return static_cast<int64_t>(buffered_bytes_.Value()); }

void IngestStats::Assign(int32_t partition) {
  Forget(partition);
  assigned_[partition] = {};
  assigned_gauge_.Set(static_cast<double>(assigned_.size()));
}

void IngestStats::Forget(int32_t partition) {
  const auto found = assigned_.find(partition);
  if (found == assigned_.end()) return;
  SharedGauges().Release(&lag_family_, found->second.lag_gauge);
  SharedGauges().Release(&stopped_family_, found->second.stopped_gauge);
  assigned_.erase(found);
  assigned_gauge_.Set(static_cast<double>(assigned_.size()));
}

void IngestStats::SetLag(int32_t partition, std::optional<int64_t> records) {
  const auto found = assigned_.find(partition);
  if (found == assigned_.end()) return;
  Assigned& assigned = found->second;
  assigned.lag = records;
  if (!records) {
    SharedGauges().Release(&lag_family_, std::exchange(assigned.lag_gauge, nullptr));
    return;
  }
  if (assigned.lag_gauge == nullptr) {
    assigned.lag_gauge = SharedGauges().Acquire(&lag_family_, partition);
  }
  assigned.lag_gauge->Set(static_cast<double>(*records));
}

void IngestStats::SetStopped(int32_t partition, bool stopped) {
  const auto found = assigned_.find(partition);
  if (found == assigned_.end()) return;
  Assigned& assigned = found->second;
  assigned.stopped = stopped;
  if (assigned.stopped_gauge == nullptr) {
    assigned.stopped_gauge = SharedGauges().Acquire(&stopped_family_, partition);
  }
  assigned.stopped_gauge->Set(stopped ? 1 : 0);
}

std::optional<int64_t> IngestStats::lag() const {
  std::optional<int64_t> sum;
  for (const auto& [partition, assigned] : assigned_) {
    if (assigned.lag) sum = sum.value_or(0) + *assigned.lag;
  }
  return sum;
}

int64_t IngestStats::partitions_of_unknown_lag() const {
  return std::ranges::count_if(assigned_, [](const auto& item) { return !item.second.lag; });
}

int64_t IngestStats::partitions_stopped() const {
  return std::ranges::count_if(assigned_, [](const auto& item) { return item.second.stopped; });
}

double IngestStats::seconds() const {
  if (!first_record_ || !last_commit_) return 0;
  return Seconds(*last_commit_ - *first_record_);
}

int64_t IngestStats::records_per_second() const {
  const double duration = seconds();
  return duration > 0 ? static_cast<int64_t>(static_cast<double>(rows_ + quarantined_) / duration)
                      : 0;
}

nlohmann::json ToJson(const IngestStats& stats) {
  const auto quantiles = [](const Latencies& latencies) -> nlohmann::json {
    return {{"p50_ms", latencies.Quantile(.5)}, {"p99_ms", latencies.Quantile(.99)}};
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
          {"log_commit", quantiles(stats.log_commits())},
          {"cut", quantiles(stats.cuts())},
          {"freshness", quantiles(stats.freshness())}};
}

}  // namespace shopstream::ingest
