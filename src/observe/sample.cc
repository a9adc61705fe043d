#include "observe/sample.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "base/format.h"
#include "base/json.h"
#include "base/json_or_null.h"

namespace shopstream::observe {
namespace {

using nlohmann::ordered_json;

ordered_json InstantOrNull(std::optional<int64_t> unix_ms) {
  return unix_ms ? ordered_json(FormatTimestamp(*unix_ms)) : ordered_json();
}

ordered_json FieldsOf(const BrokersSample& sample) {
  ordered_json brokers = ordered_json::array();
  for (const BrokerSample& broker : sample.brokers) {
    brokers.push_back({{"id", broker.id < 0 ? ordered_json() : ordered_json(broker.id)},
                       {"address", broker.address},
                       {"up", broker.up},
                       {"why_down", TextOrNull(broker.why_down)}});
  }
  return {{"cluster_unknown", TextOrNull(sample.cluster_unknown)},
          {"controller", sample.controller < 0 ? ordered_json() : ordered_json(sample.controller)},
          {"brokers", std::move(brokers)}};
}

ordered_json FieldsOf(const TopicsSample& sample) {
  ordered_json topics = ordered_json::array();
  for (const TopicSample& topic : sample.topics) {
    ordered_json partitions = ordered_json::array();
    for (const PartitionSample& p : topic.partitions) {
      partitions.push_back(
          {{"partition", p.state.id},
           {"leader", p.state.leader < 0 ? ordered_json() : ordered_json(p.state.leader)},
           {"replicas", p.state.replicas},
           {"in_sync", p.state.in_sync},
           {"log_start", OrNull(p.log_start)},
           {"end", OrNull(p.end)},
           {"unknown", TextOrNull(p.unknown)}});
    }
    topics.push_back({{"topic", topic.name},
                      {"leaderless", topic.leaderless()},
                      {"under_replicated", topic.under_replicated()},
                      {"partitions", std::move(partitions)}});
  }
  return {{"own_exists", sample.own_exists}, {"topics", std::move(topics)}};
}

ordered_json FieldsOf(const GroupsSample& sample) {
  ordered_json groups = ordered_json::array();
  for (const GroupSample& group : sample.groups) {
    ordered_json members = ordered_json::array();
    for (const kafka::GroupMember& member : group.described.members) {
      members.push_back({{"member", member.name},
                         {"client_id", member.client_id},
                         {"partitions", member.partition_count()}});
    }
    groups.push_back({{"group", group.described.name},
                      {"unknown", TextOrNull(group.unknown)},
                      {"state", TextOrNull(group.described.state)},
                      {"members", std::move(members)},
                      {"committed_partitions", group.committed.size()}});
  }
  return {{"groups", std::move(groups)}};
}

ordered_json FieldsOf(const RegistrySample& registry) {
  return {{"subjects", registry.subjects}, {"degraded", TextOrNull(registry.degraded)}};
}

ordered_json FieldsOf(const TableSample& table) {
  if (!table.exists) return {{"exists", false}};
  return {{"exists", true},
          {"version", table.version},
          {"files", table.files},
          {"bytes", table.bytes},
          {"rows", OrNull(table.rows)},
          {"small_files", table.small_files},
          {"last_commit", InstantOrNull(table.committed_ms)},
          {"complete_through", InstantOrNull(table.complete_through_ms)}};
}

ordered_json FieldsOf(const QuarantineSample& quarantine) {
  return {{"rows_by_cause", quarantine.rows_by_cause}};
}

ordered_json FieldsOf(const LagsSample& sample) {
  ordered_json partitions = ordered_json::array();
  for (const LagSample& lag : sample.partitions) {
    const auto if_known = [&](auto value) { return lag.known() ? ordered_json(value) : nullptr; };
    const bool never = lag.clear_seconds && std::isinf(*lag.clear_seconds);
    partitions.push_back({{"partition", lag.partition},
                          {"next", OrNull(lag.next)},
                          {"records", if_known(lag.records)},
                          {"seconds", OrNull(lag.seconds)},
                          {"in_per_second", OrNull(lag.rates.in)},
                          {"out_per_second", OrNull(lag.rates.out)},
                          {"clear_seconds", never ? nullptr : OrNull(lag.clear_seconds)},
                          {"never_clears", never},
                          {"expired", if_known(lag.expired)},
                          {"stopped", lag.stopped},
                          {"unknown", TextOrNull(lag.unknown)}});
  }
  return {{"partitions", std::move(partitions)}};
}

template <typename T>
ordered_json PartJson(const Seen<T>& part) {
  ordered_json out = {
      {"at", part.at_ms == 0 ? ordered_json() : ordered_json(FormatTimestamp(part.at_ms))},
      {"took_ms", part.took.count()},
      {"unknown", TextOrNull(part.unknown)}};
  if (part.known()) out.update(FieldsOf(*part.value));
  return out;
}

// The greatest value; nothing if there is none, or one is not known.
template <typename Get>
std::optional<double> Greatest(const std::vector<LagSample>& lags, const Get& get) {
  std::optional<double> greatest;
  for (const LagSample& lag : lags) {
    const std::optional<double> value = lag.known() ? get(lag) : std::nullopt;
    if (!value) return std::nullopt;
    greatest = std::max(greatest.value_or(*value), *value);
  }
  return greatest;
}

void AddMissingOf(const BrokersSample& sample, std::vector<MissingPart>* missing) {
  if (!sample.cluster_unknown.empty()) {
    missing->push_back({"cluster", sample.cluster_unknown});
  } else if (sample.controller < 0) {
    missing->push_back({"cluster", "there is no controller"});
  }
  for (const BrokerSample& broker : sample.brokers) {
    const std::string id = broker.id < 0 ? "" : std::to_string(broker.id) + " at ";
    if (!broker.up) missing->push_back({"broker " + id + broker.address, broker.why_down});
  }
}

void AddMissingOf(const TopicSample& topic, std::vector<MissingPart>* missing) {
  const auto all = Counted(std::ssize(topic.partitions), "partition");
  const std::string part = "topic " + topic.name;
  if (topic.leaderless() > 0) {
    missing->push_back({part, fmt::format("{} of {} without a leader", topic.leaderless(), all)});
  } else if (topic.under_replicated() > 0) {
    missing->push_back(
        {part, fmt::format("{} of {} under-replicated", topic.under_replicated(), all)});
  }
}

void AddMissingOf(const GroupsSample& sample, std::vector<MissingPart>* missing) {
  for (const GroupSample& group : sample.groups) {
    if (!group.known()) missing->push_back({"group " + group.described.name, group.unknown});
  }
}

template <typename T>
void AddUnknown(const std::string& part, const Seen<T>& seen, std::vector<MissingPart>* missing) {
  if (!seen.known() && seen.unknown != kNoAnswerYet) missing->push_back({part, seen.unknown});
}

std::string RateText(std::optional<double> rate) {
  return rate ? FormatCount(std::llround(*rate)) + "/s" : "unknown";
}

}  // namespace

int64_t TopicSample::leaderless() const {
  return std::ranges::count_if(partitions, [](const auto& p) { return p.state.leader < 0; });
}

int64_t TopicSample::under_replicated() const {
  return std::ranges::count_if(
      partitions, [](const auto& p) { return p.state.in_sync.size() < p.state.replicas.size(); });
}

std::optional<int64_t> LagsSample::records() const {
  int64_t sum = 0;
  for (const LagSample& lag : partitions) {
    if (!lag.known()) return std::nullopt;
    sum += lag.records;
  }
  return sum;
}

std::optional<double> LagsSample::seconds() const {
  return Greatest(partitions, [](const LagSample& lag) { return lag.seconds; });
}

std::optional<double> LagsSample::clear_seconds() const {
  return Greatest(partitions, [](const LagSample& lag) { return lag.clear_seconds; });
}

int64_t Sample::sequence() const {
  const auto of = [](const auto& part) { return 2 * part.looks + (part.known() ? 1 : 0); };
  int64_t sum = of(brokers) + of(topics) + of(groups) + of(registry) + of(quarantine) + of(lag);
  for (const auto& [path, table] : tables) sum += of(table) + 1;
  return sum;
}

ordered_json ToJson(const Sample& sample) {
  ordered_json tables = ordered_json::object();
  for (const auto& [path, table] : sample.tables) tables[path] = PartJson(table);
  return {{"at", FormatTimestamp(sample.at_ms)},
          {"topic", sample.topic},
          {"group", sample.group},
          {"brokers", PartJson(sample.brokers)},
          {"topics", PartJson(sample.topics)},
          {"groups", PartJson(sample.groups)},
          {"registry", PartJson(sample.registry)},
          {"lag", PartJson(sample.lag)},
          {"tables_unknown", TextOrNull(sample.tables_unknown)},
          {"tables", std::move(tables)},
          {"quarantine", PartJson(sample.quarantine)}};
}

std::vector<MissingPart> Missing(const Sample& sample) {
  std::vector<MissingPart> missing;
  const std::string own = "topic " + sample.topic;
  AddUnknown("brokers", sample.brokers, &missing);
  if (sample.brokers.known()) AddMissingOf(*sample.brokers.value, &missing);
  AddUnknown(own, sample.topics, &missing);
  if (sample.topics.known()) {
    if (!sample.topics.value->own_exists) missing.push_back({own, "does not exist yet"});
    for (const TopicSample& topic : sample.topics.value->topics) AddMissingOf(topic, &missing);
  }
  AddUnknown("group " + sample.group, sample.groups, &missing);
  if (sample.groups.known()) AddMissingOf(*sample.groups.value, &missing);
  AddUnknown("registry", sample.registry, &missing);
  if (sample.registry.known() && !sample.registry.value->degraded.empty()) {
    missing.push_back({"registry", sample.registry.value->degraded});
  }
  if (!sample.tables_unknown.empty() && sample.tables_unknown != kNoAnswerYet) {
    missing.push_back({"lake", sample.tables_unknown});
  }
  for (const auto& [path, table] : sample.tables) {
    AddUnknown("table " + path, table, &missing);
    if (table.known() && !table.value->exists) {
      missing.push_back({"table " + path, "does not exist yet"});
    }
  }
  AddUnknown("quarantine", sample.quarantine, &missing);
  return missing;
}

std::string Describe(const LagsSample& lags) {
  const auto records = lags.records();
  if (!records) return "lag unknown in some partitions";
  LagRates rates{.in = 0, .out = 0};
  for (const LagSample& lag : lags.partitions) {
    rates.in = rates.in && lag.rates.in ? std::optional(*rates.in + *lag.rates.in) : std::nullopt;
    rates.out =
        rates.out && lag.rates.out ? std::optional(*rates.out + *lag.rates.out) : std::nullopt;
  }
  const auto seconds = lags.seconds();
  std::string text = FormatCount(*records) + " behind";
  if (*records > 0) text += seconds ? fmt::format(" ({:.1f} s)", *seconds) : " (of unknown age)";
  text += fmt::format(", {} in, {} out", RateText(rates.in), RateText(rates.out));
  const auto clear = lags.clear_seconds();
  if (*records == 0 || !clear) return text;
  return text + (std::isinf(*clear) ? ", never clear at these rates"
                                    : ", clear in " + FormatMillis(std::llround(*clear * 1000)));
}

}  // namespace shopstream::observe
