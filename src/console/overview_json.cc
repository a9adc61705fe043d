#include "console/overview_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "base/format.h"
#include "base/json.h"
#include "base/json_or_null.h"
#include "console/masking.h"
#include "tables/progress.h"

namespace shopstream::console {
namespace {

using nlohmann::ordered_json;
using observe::LagSample;
using observe::Sample;
using observe::Seen;
using observe::TableSample;

constexpr size_t kMostRanges = 4;  // Of one commit's offsets.

ordered_json IdOrNull(int32_t id) { return id < 0 ? ordered_json() : ordered_json(id); }

// Infinity is no number of JSON; "never_clears" stands beside it.
ordered_json FiniteOrNull(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? ordered_json(*value) : ordered_json();
}

bool IsNever(const std::optional<double>& seconds) { return seconds && std::isinf(*seconds); }

// The sum over all partitions; nothing if it is unknown in one of them.
template <typename Get>
std::optional<double> SumOfRates(const observe::LagsSample& lags, const Get& get) {
  double sum = 0;
  for (const LagSample& lag : lags.partitions) {
    const std::optional<double> rate = get(lag.rates);
    if (!rate) return std::nullopt;
    sum += *rate;
  }
  return sum;
}

std::optional<double> RateIn(const Seen<observe::LagsSample>& lag) {
  if (!lag.known() || lag.value->partitions.empty()) return std::nullopt;
  return SumOfRates(*lag.value, [](const auto& rates) { return rates.in; });
}

ordered_json BrokersJson(const Seen<observe::BrokersSample>& brokers) {
  if (!brokers.known()) return {{"up", nullptr}, {"all", nullptr}, {"unknown", brokers.unknown}};
  ordered_json list = ordered_json::array();
  int64_t up = 0;
  for (const observe::BrokerSample& broker : brokers.value->brokers) {
    up += broker.up ? 1 : 0;
    list.push_back({{"id", IdOrNull(broker.id)},
                    {"address", broker.address},
                    {"up", broker.up},
                    {"why_down", TextOrNull(broker.why_down)}});
  }
  return {{"up", up},
          {"all", list.size()},
          {"controller", IdOrNull(brokers.value->controller)},
          {"unknown", TextOrNull(brokers.value->cluster_unknown)},
          {"list", std::move(list)}};
}

const LagSample* LagOf(const Sample& sample, int32_t partition) {
  if (!sample.lag.known()) return nullptr;
  for (const LagSample& lag : sample.lag.value->partitions) {
    if (lag.partition == partition) return &lag;
  }
  return nullptr;
}

ordered_json PartitionJson(const observe::PartitionSample& partition, const LagSample* lag) {
  const bool known = lag != nullptr && lag->known();
  std::string unknown = partition.unknown;
  if (unknown.empty() && lag != nullptr) unknown = lag->unknown;
  const LagSample none;
  const LagSample& seen = lag == nullptr ? none : *lag;
  return {{"partition", partition.state.id},
          {"log_start", OrNull(partition.log_start)},
          {"next", OrNull(seen.next)},
          {"end", OrNull(partition.end)},
          {"lag", known ? ordered_json(seen.records) : ordered_json()},
          {"lag_seconds", known ? FiniteOrNull(seen.seconds) : ordered_json()},
          {"in_rate", OrNull(seen.rates.in)},
          {"out_rate", OrNull(seen.rates.out)},
          {"clear_seconds", FiniteOrNull(seen.clear_seconds)},
          {"never_clears", IsNever(seen.clear_seconds)},
          {"stopped", seen.stopped},
          {"leader", IdOrNull(partition.state.leader)},
          {"replicas", partition.state.replicas.size()},
          {"in_sync", partition.state.in_sync.size()},
          {"unknown", TextOrNull(unknown)}};
}

ordered_json PartitionsJson(const Sample& sample) {
  ordered_json partitions = ordered_json::array();
  const observe::TopicSample* own = sample.topics.known() ? sample.topics.value->own() : nullptr;
  if (own == nullptr) return partitions;
  for (const observe::PartitionSample& partition : own->partitions) {
    partitions.push_back(PartitionJson(partition, LagOf(sample, partition.state.id)));
  }
  return partitions;
}

// The partition that takes longest to clear, or else has most records.
ordered_json SlowestPartition(const observe::LagsSample& lags) {
  const LagSample* slowest = nullptr;
  const auto weight = [](const LagSample& lag) {
    return std::pair(lag.clear_seconds.value_or(0), lag.records);
  };
  for (const LagSample& lag : lags.partitions) {
    if (!lag.known() || lag.records == 0) continue;
    if (slowest == nullptr || weight(*slowest) < weight(lag)) slowest = &lag;
  }
  return slowest == nullptr ? ordered_json() : ordered_json(slowest->partition);
}

std::string WhyLagUnknown(const observe::LagsSample& lags) {
  for (const LagSample& lag : lags.partitions) {
    if (!lag.known()) return fmt::format("partition {}: {}", lag.partition, lag.unknown);
  }
  return "";
}

ordered_json LagJson(const Seen<observe::LagsSample>& lag) {
  if (!lag.known()) return {{"records", nullptr}, {"unknown", lag.unknown}, {"at_ms", lag.at_ms}};
  const observe::LagsSample& lags = *lag.value;
  const auto clear = lags.clear_seconds();
  return {{"records", OrNull(lags.records())},
          {"seconds", FiniteOrNull(lags.seconds())},
          {"clear_seconds", FiniteOrNull(clear)},
          {"never_clears", IsNever(clear)},
          {"in_rate", OrNull(RateIn(lag))},
          {"out_rate", OrNull(SumOfRates(lags, [](const auto& r) { return r.out; }))},
          {"slowest_partition", SlowestPartition(lags)},
          {"unknown", TextOrNull(WhyLagUnknown(lags))},
          {"at_ms", lag.at_ms}};
}

ordered_json IngestJson(const Sample& sample) {
  ordered_json members = ordered_json::array();
  if (!sample.groups.known()) {
    return {{"state", nullptr}, {"members", members}, {"unknown", sample.groups.unknown}};
  }
  for (const observe::GroupSample& group : sample.groups.value->groups) {
    if (group.described.name != sample.group) continue;
    if (!group.known()) {
      return {{"state", nullptr}, {"members", members}, {"unknown", group.unknown}};
    }
    for (const kafka::GroupMember& member : group.described.members) {
      const auto own = member.partitions.find(sample.topic);
      members.push_back(
          {{"client_id", member.client_id},
           {"member", member.name},
           {"partitions", own == member.partitions.end() ? std::vector<int32_t>{} : own->second}});
    }
    return {{"state", TextOrNull(group.described.state)},
            {"members", std::move(members)},
            {"unknown", nullptr}};
  }
  return {{"state", nullptr}, {"members", std::move(members)}, {"unknown", nullptr}};
}

ordered_json TableJson(const Sample& sample, const std::string& path) {
  ordered_json out = {{"name", path}, {"exists", false}};
  const auto found = sample.tables.find(path);
  if (found == sample.tables.end()) {
    out["unknown"] = TextOrNull(sample.tables_unknown);
    return out;
  }
  const Seen<TableSample>& table = found->second;
  if (!table.known()) {
    out["unknown"] = table.unknown;
    return out;
  }
  out["unknown"] = nullptr;
  if (!table.value->exists) return out;
  out["exists"] = true;
  out["rows"] = OrNull(table.value->rows);
  out["version"] = table.value->version;
  out["files"] = table.value->files;
  out["small_files"] = table.value->small_files;
  out["bytes"] = table.value->bytes;
  out["committed_ms"] = OrNull(table.value->committed_ms);
  out["complete_through_ms"] = OrNull(table.value->complete_through_ms);
  return out;
}

ordered_json QuarantineJson(const Config& config, const Sample& sample) {
  ordered_json out = TableJson(sample, config.lake.quarantine_table);
  const bool known = sample.quarantine.known();
  out["rows_by_cause"] =
      known ? ordered_json(sample.quarantine.value->rows_by_cause) : ordered_json();
  if (!known && out["unknown"].is_null()) out["unknown"] = sample.quarantine.unknown;
  return out;
}

// Gold is complete through the earliest time of its tables.
ordered_json GoldJson(const Config& config, const Sample& sample) {
  int64_t tables = 0;
  std::optional<int64_t> through, committed;
  std::string unknown = sample.tables_unknown;
  bool through_known = true;
  for (const auto& [path, table] : sample.tables) {
    if (!path.starts_with(config.refine.gold_folder + "/")) continue;
    if (!table.known()) unknown = table.unknown;
    if (!table.known() || !table.value->exists) continue;
    ++tables;
    const auto complete = table.value->complete_through_ms;
    through_known = through_known && complete.has_value();
    if (complete) through = std::min(through.value_or(*complete), *complete);
    committed = std::max(committed, table.value->committed_ms);
  }
  if (!through_known) through.reset();
  return {{"exists", tables > 0},
          {"tables", tables},
          {"complete_through_ms", OrNull(through)},
          {"committed_ms", OrNull(committed)},
          {"unknown", TextOrNull(unknown)}};
}

ordered_json TablesJson(const Config& config, const PipelineSeen& seen) {
  ordered_json bronze = TableJson(seen.sample, config.lake.bronze_table);
  bronze["commits_per_minute"] =
      seen.commits.known() ? OrNull(seen.commits.value->bronze_per_minute) : ordered_json();
  return {{"bronze", std::move(bronze)},
          {"silver", TableJson(seen.sample, config.refine.silver_table)},
          {"rejects", TableJson(seen.sample, config.refine.rejects_table)},
          {"quarantine", QuarantineJson(config, seen.sample)},
          {"gold", GoldJson(config, seen.sample)}};
}

// "p0 572,101-572,438 · p1 ...": the offsets that a commit of Bronze took.
std::string OffsetsOf(const TableCommit& commit) {
  const auto before = tables::ReadProgress(commit.txns_before);
  std::string text;
  size_t moved = 0;
  for (const auto& [key, next] : tables::ReadProgress(commit.record.txns)) {
    const auto begin = before.find(key);
    const bool begin_known = begin != before.end();
    if (begin_known && begin->second >= next) continue;
    if (++moved > kMostRanges) continue;
    if (moved > 1) text += " · ";
    text +=
        fmt::format("p{} {}{}", key.partition,
                    begin_known ? FormatCount(begin->second) + "–" : "to ", FormatCount(next - 1));
  }
  if (moved > kMostRanges) text += fmt::format(" · and {} more", moved - kMostRanges);
  return text;
}

ordered_json CommitsJson(const Seen<RecentCommits>& seen) {
  ordered_json commits = ordered_json::array();
  if (!seen.known()) return commits;
  for (const TableCommit& commit : seen.value->commits) {
    commits.push_back({{"at_ms", commit.record.timestamp_ms},
                       {"table", commit.table},
                       {"version", commit.record.version},
                       {"what", TextOrNull(commit.record.operation)},
                       {"rows", commit.record.rows_added},
                       {"files", commit.record.files_added},
                       {"files_removed", commit.record.files_removed},
                       {"detail", OffsetsOf(commit)}});
  }
  return commits;
}

ordered_json FreshnessJson(const Seen<RecentCommits>& seen) {
  const Freshness freshness = seen.known() ? seen.value->freshness : Freshness{};
  const auto over = std::chrono::duration_cast<std::chrono::seconds>(PipelineWatch::kFreshnessSpan);
  std::string unknown = seen.unknown;
  if (seen.known() && !freshness.p50_seconds) {
    unknown = fmt::format("no commit brought records in the last {} s", over.count());
  }
  return {{"p50_seconds", OrNull(freshness.p50_seconds)},
          {"p99_seconds", OrNull(freshness.p99_seconds)},
          {"over_seconds", over.count()},
          {"unknown", TextOrNull(unknown)}};
}

ordered_json RevenueJson(const Config& config, const PipelineSeen& seen, ordered_json through) {
  const Masking masking(config.console.mask);
  const bool hides = std::ranges::any_of(refine::kRevenueFields,
                                         [&](const char* field) { return masking.masks(field); });
  ordered_json out = refine::ToJson(
      seen.revenue.known() && !hides ? *seen.revenue.value : std::vector<refine::RevenueHour>{});
  out["complete_through_ms"] = std::move(through);
  out["unknown"] = TextOrNull(hides ? "hidden by console.mask" : seen.revenue.unknown);
  return out;
}

const char* StateName(observe::HealthState state) {
  switch (state) {
    case observe::HealthState::kOk:
      return "up";
    case observe::HealthState::kDegraded:
      return "degraded";
    case observe::HealthState::kNotAllowed:
      return "not_allowed";
    case observe::HealthState::kDown:
      break;
  }
  return "down";
}

ordered_json ComponentsJson(const HealthReport& health) {
  ordered_json components = ordered_json::array();
  for (const WatchedComponent& component : health) {
    const bool answered = component.since_ms > 0;
    components.push_back(
        {{"component", component.health.component},
         {"state", StateName(component.health.state)},
         {"reason", component.health.detail},
         {"remedy", component.health.remedy},
         {"at_ms", component.at_ms},
         {"since_ms", answered ? ordered_json(component.since_ms) : ordered_json()}});
  }
  return components;
}

}  // namespace

ordered_json HealthJson(const HealthReport& health) {
  return {{"components", ComponentsJson(health)}};
}

ordered_json OverviewJson(const Config& config, const PipelineSeen& seen) {
  const Sample& sample = seen.sample;
  ordered_json tables = TablesJson(config, seen);
  ordered_json through = tables["gold"]["complete_through_ms"];
  const bool topics_known = sample.topics.known();
  return {{"at_ms", sample.at_ms},
          {"topic", sample.topic},
          {"group", sample.group},
          {"producers", {{"rate", OrNull(RateIn(sample.lag))}}},
          {"brokers", BrokersJson(sample.brokers)},
          {"partitions", PartitionsJson(sample)},
          {"topic_exists",
           topics_known ? ordered_json(sample.topics.value->own_exists) : ordered_json()},
          {"topic_unknown", TextOrNull(sample.topics.unknown)},
          {"lag", LagJson(sample.lag)},
          {"ingest", IngestJson(sample)},
          {"tables", std::move(tables)},
          {"freshness", FreshnessJson(seen.commits)},
          {"health", ComponentsJson(seen.health)},
          {"commits", CommitsJson(seen.commits)},
          {"revenue", RevenueJson(config, seen, std::move(through))}};
}

}  // namespace shopstream::console
