#include "console/topic_answers.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "base/format.h"
#include "base/json.h"
#include "base/json_or_null.h"
#include "observe/lag_look.h"

namespace shopstream::console {
namespace {

using nlohmann::ordered_json;
using observe::Sample;

constexpr char kBytesUnknown[] = "the Kafka client has no request for the sizes of logs";

// Infinity, which JSON lacks, is null beside `never`.
void AddClear(const std::optional<double>& seconds, ordered_json* out) {
  const bool never = seconds && std::isinf(*seconds);
  (*out)["clear_seconds"] = never ? ordered_json(nullptr) : OrNull(seconds);
  (*out)["never_clears"] = never;
}

template <typename T>
ordered_json PartAnswer(const observe::Seen<T>& part) {
  ordered_json out = {
      {"at_ms", part.at_ms == 0 ? ordered_json(nullptr) : ordered_json(part.at_ms)}};
  if (!part.known()) out["unknown"] = part.unknown;
  return out;
}

struct BrokerLoad {
  int64_t leads = 0, replicas = 0, out_of_sync = 0;
};

std::map<int32_t, BrokerLoad> LoadsOf(const observe::TopicsSample& topics) {
  std::map<int32_t, BrokerLoad> loads;
  for (const observe::TopicSample& topic : topics.topics) {
    for (const observe::PartitionSample& partition : topic.partitions) {
      ++loads[partition.state.leader].leads;
      const auto& in_sync = partition.state.in_sync;
      for (const int32_t broker : partition.state.replicas) {
        ++loads[broker].replicas;
        if (std::ranges::find(in_sync, broker) == in_sync.end()) ++loads[broker].out_of_sync;
      }
    }
  }
  return loads;
}

TopicLag LakeLag(const Sample& sample) {
  TopicLag lag{
      .group = sample.group, .is_lake = true, .records = {}, .seconds = {}, .clear_seconds = {}};
  if (!sample.lag.known()) return lag;
  lag.records = sample.lag.value->records();
  lag.seconds = sample.lag.value->seconds();
  lag.clear_seconds = sample.lag.value->clear_seconds();
  return lag;
}

ordered_json LagAnswer(const TopicLag& lag) {
  ordered_json out = {{"group", lag.group},
                      {"is_lake", lag.is_lake},
                      {"records", OrNull(lag.records)},
                      {"seconds", OrNull(lag.seconds)}};
  AddClear(lag.clear_seconds, &out);
  return out;
}

// Offsets between log start and end; nothing: unknown in a partition.
std::optional<int64_t> OffsetsIn(const observe::TopicSample& topic) {
  int64_t sum = 0;
  for (const observe::PartitionSample& partition : topic.partitions) {
    if (!partition.end || !partition.log_start) return std::nullopt;
    sum += *partition.end - *partition.log_start;
  }
  return sum;
}

ordered_json TopicRow(const observe::TopicSample& topic, const std::vector<TopicLag>& lags) {
  const auto replicas = [](const auto& partition) { return partition.state.replicas.size(); };
  size_t replication = 0;
  for (const auto& partition : topic.partitions) {
    replication = std::max(replication, replicas(partition));
  }
  ordered_json out = {{"topic", topic.name},
                      {"internal", topic.name.starts_with("_")},
                      {"partitions", topic.partitions.size()},
                      {"replication_factor", replication},
                      {"leaderless", topic.leaderless()},
                      {"under_replicated", topic.under_replicated()},
                      {"offsets", OrNull(OffsetsIn(topic))},
                      {"in_per_second", OrNull(topic.in_per_second)},
                      {"bytes", nullptr},
                      {"bytes_unknown", kBytesUnknown}};
  ordered_json& list = out["lags"] = ordered_json::array();
  for (const TopicLag& lag : lags) list.push_back(LagAnswer(lag));
  return out;
}

bool LooksSecret(const std::string& name) {
  const std::string text = ToLower(name);
  return std::ranges::any_of(
      std::initializer_list<const char*>{"password", "secret", "credential", "jaas", ".key"},
      [&](const char* part) { return text.find(part) != std::string::npos; });
}

}  // namespace

std::map<std::string, std::vector<TopicLag>> LagsByTopic(const Sample& sample) {
  std::map<std::string, std::vector<TopicLag>> lags;
  if (!sample.topics.known()) return lags;
  if (sample.topics.value->own_exists) lags[sample.topic].push_back(LakeLag(sample));
  if (sample.groups.known()) {
    for (const observe::GroupSample& group : sample.groups.value->groups) {
      if (group.described.name == sample.group) continue;  // The lake's own progress decides.
      std::map<std::string, int64_t> by_topic;
      for (const auto& [at, records] : observe::GroupLag(group, *sample.topics.value)) {
        by_topic[at.topic] += records;
      }
      for (const auto& [topic, records] : by_topic) {
        lags[topic].push_back({.group = group.described.name,
                               .is_lake = false,
                               .records = records,
                               .seconds = {},
                               .clear_seconds = {}});
      }
    }
  }
  for (auto& [topic, list] : lags) {
    std::ranges::stable_sort(list, std::ranges::greater(), &TopicLag::records);
  }
  return lags;
}

ordered_json BrokersAnswer(const Sample& sample) {
  ordered_json out = PartAnswer(sample.brokers);
  if (!sample.brokers.known()) return out;
  const observe::BrokersSample& seen = *sample.brokers.value;
  if (!seen.cluster_unknown.empty()) out["cluster_unknown"] = seen.cluster_unknown;
  out["controller"] = seen.controller < 0 ? ordered_json(nullptr) : ordered_json(seen.controller);
  const bool counted = sample.topics.known();
  const auto loads = counted ? LoadsOf(*sample.topics.value) : std::map<int32_t, BrokerLoad>{};
  ordered_json& brokers = out["brokers"] = ordered_json::array();
  for (const observe::BrokerSample& broker : seen.brokers) {
    ordered_json row = {
        {"id", broker.id < 0 ? ordered_json(nullptr) : ordered_json(broker.id)},
        {"address", broker.address},
        {"state", broker.up ? "up" : "down"},
        {"reason", broker.why_down.empty() ? ordered_json(nullptr) : ordered_json(broker.why_down)},
        {"is_controller", broker.id >= 0 && broker.id == seen.controller}};
    const auto load = loads.find(broker.id);
    const BrokerLoad none, &shown = load == loads.end() ? none : load->second;
    row["leads"] = counted ? ordered_json(shown.leads) : ordered_json(nullptr);
    row["replicas"] = counted ? ordered_json(shown.replicas) : ordered_json(nullptr);
    row["out_of_sync"] = counted ? ordered_json(shown.out_of_sync) : ordered_json(nullptr);
    brokers.push_back(std::move(row));
  }
  return out;
}

ordered_json TopicsAnswer(const Sample& sample, const std::string& user) {
  ordered_json out = PartAnswer(sample.topics);
  out["own_topic"] = sample.topic;
  if (!sample.topics.known()) return out;
  const auto lags = LagsByTopic(sample);
  out["lags_at_ms"] =
      sample.groups.at_ms == 0 ? ordered_json(nullptr) : ordered_json(sample.groups.at_ms);
  if (!sample.groups.known()) out["groups_unknown"] = sample.groups.unknown;
  if (!sample.lag.known()) out["lake_lag_unknown"] = sample.lag.unknown;
  ordered_json& topics = out["topics"] = ordered_json::array();
  for (const observe::TopicSample& topic : sample.topics.value->topics) {
    const auto found = lags.find(topic.name);
    topics.push_back(
        TopicRow(topic, found == lags.end() ? std::vector<TopicLag>{} : found->second));
  }
  if (topics.empty()) {
    out["state"] = "not_allowed";
    out["reason"] = user + " sees no topic: there is none, or it has no DESCRIBE on any";
    out["remedy"] = "shopstream topics create " + sample.topic;
  }
  return out;
}

ordered_json TopicAnswer(const kafka::TopicState& topic,
                         const std::vector<Result<kafka::OffsetSpan>>& spans,
                         const Sample& sample) {
  ordered_json out = {{"topic", topic.name}, {"exists", true}, {"id", topic.id}};
  const bool is_own = topic.name == sample.topic;
  out["is_own"] = is_own;
  std::map<int32_t, std::optional<int64_t>> next;
  if (is_own && sample.lag.known()) {
    for (const auto& lag : sample.lag.value->partitions) next[lag.partition] = lag.next;
  }
  if (is_own && !sample.lag.known()) out["lake_unknown"] = sample.lag.unknown;
  ordered_json& partitions = out["partitions"] = ordered_json::array();
  for (size_t i = 0; i < topic.partitions.size(); ++i) {
    const kafka::PartitionState& state = topic.partitions[i];
    ordered_json row = {
        {"partition", state.id},
        {"leader", state.leader < 0 ? ordered_json(nullptr) : ordered_json(state.leader)},
        {"replicas", state.replicas},
        {"in_sync", state.in_sync},
        {"under_replicated", state.in_sync.size() < state.replicas.size()}};
    row["log_start"] = spans[i].ok() ? ordered_json(spans[i]->log_start) : ordered_json(nullptr);
    row["end"] = spans[i].ok() ? ordered_json(spans[i]->end) : ordered_json(nullptr);
    if (!spans[i].ok()) row["end_unknown"] = spans[i].status().message();
    const auto lake = next.find(state.id);
    row["lake"] = lake == next.end() ? ordered_json(nullptr) : OrNull(lake->second);
    partitions.push_back(std::move(row));
  }
  const auto lags = LagsByTopic(sample);
  ordered_json& list = out["lags"] = ordered_json::array();
  if (const auto found = lags.find(topic.name); found != lags.end()) {
    for (const TopicLag& lag : found->second) list.push_back(LagAnswer(lag));
  }
  return out;
}

ordered_json ConfigurationAnswer(const kafka::TopicState& topic) {
  ordered_json out = ordered_json::array();
  for (const auto& [name, value] : topic.configs) {
    const bool hidden = topic.sensitive_configs.contains(name) || LooksSecret(name);
    out.push_back({{"name", name},
                   {"value", hidden ? ordered_json(nullptr) : ordered_json(value)},
                   {"hidden", hidden},
                   {"is_default", !topic.own_configs.contains(name)}});
  }
  return out;
}

}  // namespace shopstream::console
