#include "observe/kafka_look.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/error_kind.h"
#include "base/join.h"
#include "base/listen_address.h"
#include "base/tcp_probe.h"
#include "observe/health.h"

namespace shopstream::observe {
namespace {

constexpr Millis kStartsInterval{60'000};

// As the client library parses a bootstrap server: [protocol://]host[:port].
std::string AddressOf(const std::string& server) {
  const size_t protocol = server.find("://");
  const std::string address = protocol == std::string::npos ? server : server.substr(protocol + 3);
  const bool has_port = address.rfind(':') != std::string::npos && !address.ends_with(']');
  return has_port ? address : address + ":9092";
}

std::string AddressOf(const kafka::BrokerState& broker) {
  const bool is_ipv6 = broker.host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + broker.host + "]" : broker.host) + ":" + std::to_string(broker.port);
}

Status Connect(const std::string& address, Millis timeout) {
  ARROW_ASSIGN_OR_RAISE(const ListenAddress parsed, ParseListenAddress(address));
  return ProbeTcp(parsed.host, parsed.port, timeout);
}

void Fill(const Result<int64_t>& answer, std::optional<int64_t>* value, std::string* unknown) {
  if (answer.ok()) {
    *value = *answer;
  } else {
    *unknown = answer.status().message();
  }
}

}  // namespace

Result<kafka::ClusterState> BrokersLook::AskCluster() {
  if (admin_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(admin_, kafka::Admin::Open(config_, timeout_));
  }
  return admin_->DescribeCluster();
}

// All at the same time, each on its own thread.
void BrokersLook::Probe(std::vector<BrokerSample>* brokers) const {
  std::vector<HealthCheck> checks;
  for (const BrokerSample& broker : *brokers) {
    checks.push_back({broker.address, [address = broker.address, timeout = timeout_ / 2] {
                        const Status reached = Connect(address, timeout);
                        return ComponentHealth{address,
                                               reached.ok() ? HealthState::kOk : HealthState::kDown,
                                               reached.ok() ? "" : reached.message(), ""};
                      }});
  }
  const auto answers = HealthRunner(std::move(checks)).Run(timeout_ / 2);
  for (size_t i = 0; i < brokers->size(); ++i) {
    BrokerSample& broker = (*brokers)[i];
    const ComponentHealth& answer = answers[i];
    if (answer.state == HealthState::kOk) continue;
    broker.up = false;
    broker.why_down = answer.detail;
  }
}

Result<BrokersSample> BrokersLook::Look() {
  BrokersSample sample;
  const auto cluster = AskCluster();
  std::set<int32_t> registered;
  if (cluster.ok()) {
    sample.controller = cluster->controller;
    for (const kafka::BrokerState& broker : cluster->brokers) {
      registered.insert(broker.id);
      known_[broker.id] = AddressOf(broker);
    }
  } else {
    sample.cluster_unknown = cluster.status().message();
  }
  for (const auto& [id, address] : known_) {
    BrokerSample& broker = sample.brokers.emplace_back(BrokerSample{
        .id = id, .address = address, .registered = registered.contains(id), .up = true});
    if (!cluster.ok() || broker.registered) continue;
    broker.up = false;
    broker.why_down = "it is no longer registered";
  }
  if (known_.empty()) {
    for (const std::string& server : SplitList(config_.bootstrap_servers)) {
      sample.brokers.push_back({.address = AddressOf(server), .up = true});
    }
  }
  Probe(&sample.brokers);
  return sample;
}

Result<TopicsSample> TopicsLook::Look() {
  auto sample = Ask();
  if (!sample.ok()) {
    admin_.reset();
    overview_.reset();
  }
  return sample;
}

// config.topic first, which alone has its id.
Result<std::vector<kafka::TopicState>> TopicsLook::Topics(bool* own_exists) {
  if (admin_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(admin_, kafka::Admin::Open(config_, timeout_));
  }
  if (overview_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(overview_, kafka::ClusterOverview::Open(config_, timeout_));
  }
  std::vector<kafka::TopicState> topics;
  ARROW_ASSIGN_OR_RAISE(auto own, admin_->DescribeTopic(config_.topic, /*with_configs=*/false));
  *own_exists = own.has_value();
  if (own) topics.push_back(*std::move(own));
  if (!all_) return topics;
  ARROW_ASSIGN_OR_RAISE(auto others, overview_->ListTopics());
  for (kafka::TopicState& topic : others) {
    if (topic.name != config_.topic) topics.push_back(std::move(topic));
  }
  return topics;
}

Status TopicsLook::RefreshStarts(const std::vector<kafka::TopicPartition>& led) {
  const bool all_known =
      std::ranges::all_of(led, [this](const auto& at) { return starts_.contains(at); });
  const BootClock::time_point now = BootClock::now();
  if (all_known && now < starts_due_) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto answers, overview_->LogStarts(led));
  starts_.clear();
  for (const auto& [at, answer] : answers) {
    if (answer.ok()) starts_[at] = *answer;
  }
  starts_due_ = now + kStartsInterval;
  return Status::OK();
}

Result<TopicsSample> TopicsLook::Ask() {
  TopicsSample sample;
  ARROW_ASSIGN_OR_RAISE(auto topics, Topics(&sample.own_exists));
  if (sample.own_exists && topics.front().id != own_id_) {  // It was created again.
    std::erase_if(starts_,
                  [this](const auto& known) { return known.first.topic == config_.topic; });
    own_id_ = topics.front().id;
  }
  std::vector<kafka::TopicPartition> led;
  for (const kafka::TopicState& topic : topics) {
    for (const kafka::PartitionState& partition : topic.partitions) {
      if (partition.leader >= 0) led.push_back({topic.name, partition.id});
    }
  }
  ARROW_RETURN_NOT_OK(RefreshStarts(led));
  sample.at = BootClock::now();
  ARROW_ASSIGN_OR_RAISE(const auto ends, overview_->Ends(led));
  // The client remembers leaders, and keeps asking one that is down: a new one asks for them.
  if (!std::ranges::all_of(ends, [](const auto& entry) { return entry.second.ok(); })) {
    overview_.reset();
  }
  for (kafka::TopicState& topic : topics) {
    TopicSample& shown = sample.topics.emplace_back(TopicSample{topic.name, topic.id, {}, {}});
    for (kafka::PartitionState& state : topic.partitions) {
      const kafka::TopicPartition at{topic.name, state.id};
      PartitionSample partition;
      if (const auto end = ends.find(at); end != ends.end()) {
        Fill(end->second, &partition.end, &partition.unknown);
      } else {
        partition.unknown = "it has no leader";
      }
      const auto start = starts_.find(at);
      if (start != starts_.end() && start->second > partition.end.value_or(start->second)) {
        starts_.erase(start);  // The topic was created again: the next look asks.
        partition.unknown = "its log start is not known";
      } else if (start != starts_.end()) {
        partition.log_start = start->second;
      } else if (partition.unknown.empty()) {
        partition.unknown = "its log start is not known";
      }
      partition.state = std::move(state);
      shown.partitions.push_back(std::move(partition));
    }
  }
  AddRates(&sample);
  return sample;
}

void TopicsLook::AddRates(TopicsSample* sample) {
  std::map<std::string, RateWindow> windows;
  for (TopicSample& topic : sample->topics) {
    const bool known = std::ranges::all_of(topic.partitions, [](const PartitionSample& partition) {
      return partition.end.has_value();
    });
    if (!known) continue;
    int64_t ends = 0;
    for (const PartitionSample& partition : topic.partitions) ends += *partition.end;
    RateWindow& window = windows[topic.name] = std::move(windows_[topic.name]);
    window.Add(sample->at, ends, 0);
    topic.in_per_second = window.rates().in;
  }
  windows_ = std::move(windows);
}

Result<GroupsSample> GroupsLook::Look() {
  auto sample = Ask();
  if (!sample.ok()) overview_.reset();
  return sample;
}

Result<GroupsSample> GroupsLook::Ask() {
  if (overview_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(overview_, kafka::ClusterOverview::Open(config_, timeout_));
  }
  std::vector<std::string> names{config_.group};
  if (all_) {
    ARROW_ASSIGN_OR_RAISE(names, overview_->ListGroups());
  }
  ARROW_ASSIGN_OR_RAISE(const auto answers, overview_->DescribeGroups(names));
  GroupsSample sample;
  Status failed;
  std::map<int32_t, Status> silent;  // By coordinator, so that it is waited for only once.
  for (size_t g = 0; g < answers.size(); ++g) {
    auto asked = AskGroup(answers[g], &silent);
    GroupSample& group = sample.groups.emplace_back();
    if (asked.ok()) {
      group = *std::move(asked);
    } else {
      failed = asked.status();
      group.described.name = names[g];
      group.unknown = failed.message();
    }
  }
  if (failed.ok()) return sample;
  overview_.reset();  // It may remember a broker that no longer coordinates a group.
  if (std::ranges::none_of(sample.groups, &GroupSample::known)) return failed;
  return sample;
}

Result<GroupSample> GroupsLook::AskGroup(const Result<kafka::GroupDescription>& described,
                                         std::map<int32_t, Status>* silent) const {
  GroupSample group;
  ARROW_ASSIGN_OR_RAISE(group.described, described);
  if (!group.described.exists) return group;  // It has committed nothing.
  const int32_t coordinator = group.described.coordinator;
  if (const auto known = silent->find(coordinator); known != silent->end()) return known->second;
  auto committed = overview_->CommittedOffsets(group.described.name);
  if (IsUnavailable(committed.status())) silent->emplace(coordinator, committed.status());
  ARROW_ASSIGN_OR_RAISE(group.committed, std::move(committed));
  return group;
}

}  // namespace shopstream::observe
