#include "kafka/admin.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "base/error_kind.h"
#include "kafka/admin_calls.h"
#include "kafka/client.h"
#include "kafka/errors.h"
#include "kafka/group_calls.h"
#include "kafka/handles.h"
#include "kafka/span_answers.h"
#include "kafka/topic_description.h"

namespace shopstream::kafka {
namespace {

using NewTopicHandle = Handle<rd_kafka_NewTopic_t, &rd_kafka_NewTopic_destroy>;
using NewPartitionsHandle = Handle<rd_kafka_NewPartitions_t, &rd_kafka_NewPartitions_destroy>;
using ResourceHandle = Handle<rd_kafka_ConfigResource_t, &rd_kafka_ConfigResource_destroy>;
using TopicNamesHandle = Handle<rd_kafka_TopicCollection_t, &rd_kafka_TopicCollection_destroy>;
using MetadataHandle = Handle<const rd_kafka_metadata_t, &rd_kafka_metadata_destroy>;

std::string ToDescribe(const std::string& topic) {
  return "DESCRIBE on topic " + topic + " (READ and WRITE include it)";
}

bool HasAllLeaders(const TopicState& topic, int partitions) {
  return static_cast<int>(topic.partitions.size()) == partitions &&
         std::all_of(topic.partitions.begin(), topic.partitions.end(),
                     [](const PartitionState& p) { return p.leader >= 0; });
}

}  // namespace

struct Admin::Impl {
  AdminCalls calls;

  // Asks repeatedly, each time with more patience, so that it can stop early.
  Result<MetadataHandle> Metadata(const Deed& deed, bool all_topics) {
    const BootClock::time_point since = BootClock::now();
    for (Millis slice{1000};; slice *= 2) {
      const auto left = std::chrono::ceil<Millis>(since + calls.timeout() - BootClock::now());
      const rd_kafka_metadata_t* raw = nullptr;
      const auto code =
          rd_kafka_metadata(calls.client(), all_topics ? 1 : 0, nullptr, &raw,
                            static_cast<int>(std::max(Millis{1}, std::min(slice, left)).count()));
      if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return MetadataHandle(raw);
      if (left <= slice || IsHopeless(calls.client(), since)) return calls.Failure(deed, code);
    }
  }

  // A broker that is currently answering. By default the client asks the controller, and if that
  // has just failed waits for it although any broker could answer.
  Result<int32_t> AnsweringBroker(const Deed& deed) {
    ARROW_ASSIGN_OR_RAISE(const MetadataHandle metadata, Metadata(deed, /*all_topics=*/false));
    if (metadata->orig_broker_id >= 0) return metadata->orig_broker_id;
    // Asked at its bootstrap address; "host:port/bootstrap" shows which one it is.
    const std::string name = metadata->orig_broker_name;
    for (int i = 0; i < metadata->broker_cnt; ++i) {
      const rd_kafka_metadata_broker& broker = metadata->brokers[i];
      const std::string address = std::string(broker.host) + ":" + std::to_string(broker.port);
      if (name.find(address + "/") != std::string::npos) return broker.id;
    }
    return kClientsChoice;
  }

  Status CheckTopicResult(const Deed& what, const rd_kafka_topic_result_t* const* results,
                          size_t count) {
    for (size_t i = 0; i < count; ++i) {
      if (const auto code = rd_kafka_topic_result_error(results[i])) {
        return calls.Failure(what, code, rd_kafka_topic_result_error_string(results[i]));
      }
    }
    return Status::OK();
  }

  // `broker`: the broker to ask.
  Result<std::vector<TopicState>> DescribeTopics(const std::vector<std::string>& names,
                                                 int32_t broker = kClientsChoice);
  Status ReadConfigs(TopicState* topic);
  Status AskSpans(const std::string& topic, SpanAnswers* answers);
  // Asks the leaders of the partitions that have not failed.
  // `which`: a timestamp in milliseconds, or an rd_kafka_OffsetSpec_t.
  Result<EventHandle> AskOffsets(const Deed& what, const std::string& topic,
                                 const std::vector<int32_t>& partitions, int64_t which);
  Status ListOffsets(const std::string& topic, rd_kafka_OffsetSpec_t spec,
                     int64_t OffsetSpan::*which, SpanAnswers* answers);
};

// Topics that do not exist, or no longer do, are left out.
Result<std::vector<TopicState>> Admin::Impl::DescribeTopics(const std::vector<std::string>& names,
                                                            int32_t broker) {
  std::vector<TopicState> topics;
  if (names.empty()) return topics;
  std::vector<const char*> raw_names;
  for (const auto& name : names) raw_names.push_back(name.c_str());
  TopicNamesHandle collection(
      rd_kafka_TopicCollection_of_topic_names(raw_names.data(), raw_names.size()));
  const Deed what{names.size() == 1 ? "describing topic " + names.front() : "describing the topics",
                  ToDescribe(names.front())};
  if (broker == kClientsChoice) {
    ARROW_ASSIGN_OR_RAISE(broker, AnsweringBroker(what));
  }
  ARROW_ASSIGN_OR_RAISE(EventHandle event, calls.Call(RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, broker,
                                                      what, [&](const auto* options, auto* queue) {
                                                        rd_kafka_DescribeTopics(calls.client(),
                                                                                collection.get(),
                                                                                options, queue);
                                                      }));
  size_t count = 0;
  const auto* results = rd_kafka_DescribeTopics_result_topics(
      rd_kafka_event_DescribeTopics_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const rd_kafka_error_t* error = rd_kafka_TopicDescription_error(results[i]);
    const auto code = rd_kafka_error_code(error);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) continue;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return calls.Failure(what, code, rd_kafka_error_string(error));
    }
    topics.push_back(ToTopicState(results[i]));
  }
  return topics;
}

Status Admin::Impl::ReadConfigs(TopicState* topic) {
  const Deed what{"reading the settings of topic " + topic->name,
                  "DESCRIBE_CONFIGS on topic " + topic->name};
  ARROW_ASSIGN_OR_RAISE(const int32_t broker, AnsweringBroker(what));
  ResourceHandle resource(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic->name.c_str()));
  rd_kafka_ConfigResource_t* resources[] = {resource.get()};
  ARROW_ASSIGN_OR_RAISE(EventHandle event, calls.Call(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, broker,
                                                      what, [&](const auto* options, auto* queue) {
                                                        rd_kafka_DescribeConfigs(calls.client(),
                                                                                 resources, 1,
                                                                                 options, queue);
                                                      }));
  size_t count = 0;
  const auto* results = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    if (const auto code = rd_kafka_ConfigResource_error(results[i])) {
      return calls.Failure(what, code, rd_kafka_ConfigResource_error_string(results[i]));
    }
    size_t entries = 0;
    const auto* entry = rd_kafka_ConfigResource_configs(results[i], &entries);
    for (size_t e = 0; e < entries; ++e) {
      const char* value = rd_kafka_ConfigEntry_value(entry[e]);
      const std::string name = rd_kafka_ConfigEntry_name(entry[e]);
      topic->configs[name] = value == nullptr ? "" : value;
      if (rd_kafka_ConfigEntry_is_sensitive(entry[e]) == 1) topic->sensitive_configs.insert(name);
      if (rd_kafka_ConfigEntry_source(entry[e]) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG) {
        topic->own_configs.insert(name);
      }
    }
  }
  return Status::OK();
}

// The client waits for a missing leader as long as for an answer, and then returns nothing for any
// partition, so such partitions are left out.
Status Admin::Impl::AskSpans(const std::string& topic, SpanAnswers* answers) {
  ARROW_ASSIGN_OR_RAISE(const auto topics, DescribeTopics({topic}));
  if (topics.empty()) return NoSuchTopic(topic, calls.config().bootstrap_servers);
  answers->ExcludeLeaderless(topics.front().partitions);
  ARROW_RETURN_NOT_OK(
      ListOffsets(topic, RD_KAFKA_OFFSET_SPEC_EARLIEST, &OffsetSpan::log_start, answers));
  return ListOffsets(topic, RD_KAFKA_OFFSET_SPEC_LATEST, &OffsetSpan::end, answers);
}

Result<EventHandle> Admin::Impl::AskOffsets(const Deed& what, const std::string& topic,
                                            const std::vector<int32_t>& partitions, int64_t which) {
  PartitionListHandle list = ListPartitions(topic, partitions, which);
  return calls.Call(RD_KAFKA_ADMIN_OP_LISTOFFSETS, kClientsChoice, what,
                    [&](const auto* options, auto* queue) {
                      rd_kafka_ListOffsets(calls.client(), list.get(), options, queue);
                    });
}

Status Admin::Impl::ListOffsets(const std::string& topic, rd_kafka_OffsetSpec_t spec,
                                int64_t OffsetSpan::*which, SpanAnswers* answers) {
  const std::vector<int32_t> asked = answers->open();
  if (asked.empty()) return Status::OK();
  const Deed what{"listing the offsets of topic " + topic, ToDescribe(topic)};
  ARROW_ASSIGN_OR_RAISE(EventHandle event, AskOffsets(what, topic, asked, spec));
  size_t count = 0;
  const auto* infos =
      rd_kafka_ListOffsets_result_infos(rd_kafka_event_ListOffsets_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const auto* found = rd_kafka_ListOffsetsResultInfo_topic_partition(infos[i]);
    const int32_t partition = found->partition;
    if (found->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      answers->Set(partition, which,
                   calls.Failure({what.what + " [" + std::to_string(partition) + "]", what.needs},
                                 found->err));
    } else if (found->offset < 0) {
      answers->SetSilent(partition);
    } else {
      answers->Set(partition, which, found->offset);
    }
  }
  return Status::OK();
}

Admin::Admin(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Admin::~Admin() = default;

Result<std::unique_ptr<Admin>> Admin::Open(const KafkaConfig& config, Millis timeout) {
  ARROW_ASSIGN_OR_RAISE(AdminCalls calls, AdminCalls::Open(config, timeout));
  auto impl = std::make_unique<Impl>(Impl{std::move(calls)});
  return std::unique_ptr<Admin>(new Admin(std::move(impl)));
}

Result<ClusterState> Admin::DescribeCluster() {
  const Deed what{"describing the cluster", "DESCRIBE on the cluster"};
  ARROW_ASSIGN_OR_RAISE(const int32_t broker, impl_->AnsweringBroker(what));
  ARROW_ASSIGN_OR_RAISE(EventHandle event,
                        impl_->calls.Call(RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER, broker, what,
                                          [&](const auto* options, auto* queue) {
                                            rd_kafka_DescribeCluster(impl_->calls.client(), options,
                                                                     queue);
                                          }));
  const auto* result = rd_kafka_event_DescribeCluster_result(event.get());
  ClusterState cluster;
  const char* id = rd_kafka_DescribeCluster_result_cluster_id(result);
  if (id != nullptr) cluster.id = id;
  const auto* controller = rd_kafka_DescribeCluster_result_controller(result);
  if (controller != nullptr) cluster.controller = rd_kafka_Node_id(controller);
  size_t count = 0;
  const auto* nodes = rd_kafka_DescribeCluster_result_nodes(result, &count);
  for (size_t i = 0; i < count; ++i) {
    cluster.brokers.push_back({rd_kafka_Node_id(nodes[i]), rd_kafka_Node_host(nodes[i]),
                               static_cast<int>(rd_kafka_Node_port(nodes[i]))});
  }
  std::sort(cluster.brokers.begin(), cluster.brokers.end(),
            [](const BrokerState& a, const BrokerState& b) { return a.id < b.id; });
  return cluster;
}

Result<std::vector<TopicState>> Admin::ListTopics() {
  ARROW_ASSIGN_OR_RAISE(
      const MetadataHandle metadata,
      impl_->Metadata({"listing the topics", "DESCRIBE on the topics"}, /*all_topics=*/true));
  std::vector<std::string> names;
  for (int i = 0; i < metadata->topic_cnt; ++i) names.emplace_back(metadata->topics[i].topic);
  std::sort(names.begin(), names.end());
  return impl_->DescribeTopics(names);
}

Result<std::optional<TopicState>> Admin::DescribeTopic(const std::string& name, bool with_configs) {
  ARROW_ASSIGN_OR_RAISE(auto topics, impl_->DescribeTopics({name}));
  if (topics.empty()) return std::nullopt;
  if (with_configs) ARROW_RETURN_NOT_OK(impl_->ReadConfigs(&topics.front()));
  return std::move(topics.front());
}

Result<bool> Admin::EveryBrokerServes(const std::string& name, int partitions) {
  ARROW_ASSIGN_OR_RAISE(const ClusterState cluster, DescribeCluster());
  for (const BrokerState& broker : cluster.brokers) {
    const auto topics = impl_->DescribeTopics({name}, broker.id);
    if (!topics.ok()) continue;  // It failed meanwhile; no client can ask it either.
    const bool serves = topics->size() == 1 && HasAllLeaders(topics->front(), partitions);
    if (!serves) return false;
  }
  return true;
}

Status Admin::CheckMayWrite(const std::string& name) {
  const Deed deed{"writing to topic " + name, "WRITE on topic " + name};
  ARROW_ASSIGN_OR_RAISE(const int32_t broker, impl_->AnsweringBroker(deed));
  const char* names[] = {name.c_str()};
  TopicNamesHandle collection(rd_kafka_TopicCollection_of_topic_names(names, 1));
  ARROW_ASSIGN_OR_RAISE(
      const EventHandle event,
      impl_->calls.Call(
          RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, broker, deed, [&](const auto* options, auto* queue) {
            ErrorHandle(rd_kafka_AdminOptions_set_include_authorized_operations(
                const_cast<rd_kafka_AdminOptions_t*>(options), 1));
            rd_kafka_DescribeTopics(impl_->calls.client(), collection.get(), options, queue);
          }));
  size_t count = 0;
  const auto* results = rd_kafka_DescribeTopics_result_topics(
      rd_kafka_event_DescribeTopics_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    size_t allowed_count = 0;
    const auto* allowed =
        rd_kafka_TopicDescription_authorized_operations(results[i], &allowed_count);
    if (allowed == nullptr || allowed_count == 0) continue;
    const auto* end = allowed + allowed_count;
    if (std::find(allowed, end, RD_KAFKA_ACL_OPERATION_WRITE) != end) continue;
    return impl_->calls.Failure(deed, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  }
  return Status::OK();
}

Status Admin::CreateTopic(const TopicSettings& settings) {
  const Deed what{"creating topic " + settings.name,
                  "CREATE on topic " + settings.name + " or on the cluster"};
  std::array<char, 512> reason{};
  NewTopicHandle topic(rd_kafka_NewTopic_new(settings.name.c_str(), settings.partitions,
                                             settings.replication_factor, reason.data(),
                                             reason.size()));
  if (topic == nullptr) return Status::Invalid(what.what, ": ", reason.data());
  for (const auto& [name, value] : settings.configs) {
    const auto code = rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
    if (code) return impl_->calls.Failure({what.what + " with " + name + " = " + value, ""}, code);
  }
  rd_kafka_NewTopic_t* topics[] = {topic.get()};
  ARROW_ASSIGN_OR_RAISE(EventHandle event,
                        impl_->calls.Call(RD_KAFKA_ADMIN_OP_CREATETOPICS, kClientsChoice, what,
                                          [&](const auto* options, auto* queue) {
                                            rd_kafka_CreateTopics(impl_->calls.client(), topics, 1,
                                                                  options, queue);
                                          }));
  size_t count = 0;
  const auto* results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  return impl_->CheckTopicResult(what, results, count);
}

Status Admin::AddPartitions(const std::string& name, int total) {
  const Deed what{"raising topic " + name + " to " + std::to_string(total) + " partitions",
                  "ALTER on topic " + name};
  std::array<char, 512> reason{};
  NewPartitionsHandle wanted(
      rd_kafka_NewPartitions_new(name.c_str(), total, reason.data(), reason.size()));
  if (wanted == nullptr) return Status::Invalid(what.what, ": ", reason.data());
  rd_kafka_NewPartitions_t* partitions[] = {wanted.get()};
  ARROW_ASSIGN_OR_RAISE(EventHandle event,
                        impl_->calls.Call(RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, kClientsChoice, what,
                                          [&](const auto* options, auto* queue) {
                                            rd_kafka_CreatePartitions(impl_->calls.client(),
                                                                      partitions, 1, options,
                                                                      queue);
                                          }));
  size_t count = 0;
  const auto* results = rd_kafka_CreatePartitions_result_topics(
      rd_kafka_event_CreatePartitions_result(event.get()), &count);
  return impl_->CheckTopicResult(what, results, count);
}

Status Admin::SetTopicConfigs(const std::string& name,
                              const std::map<std::string, std::string>& configs) {
  const Deed what{"changing the settings of topic " + name, "ALTER_CONFIGS on topic " + name};
  ResourceHandle resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
  for (const auto& [key, value] : configs) {
    ErrorHandle error(rd_kafka_ConfigResource_add_incremental_config(
        resource.get(), key.c_str(), RD_KAFKA_ALTER_CONFIG_OP_TYPE_SET, value.c_str()));
    if (error != nullptr) {
      return Status::Invalid(what.what, ": ", key, " = ", value, ": ",
                             rd_kafka_error_string(error.get()));
    }
  }
  rd_kafka_ConfigResource_t* resources[] = {resource.get()};
  ARROW_ASSIGN_OR_RAISE(EventHandle event,
                        impl_->calls.Call(RD_KAFKA_ADMIN_OP_INCREMENTALALTERCONFIGS, kClientsChoice,
                                          what, [&](const auto* options, auto* queue) {
                                            rd_kafka_IncrementalAlterConfigs(impl_->calls.client(),
                                                                             resources, 1, options,
                                                                             queue);
                                          }));
  size_t count = 0;
  const auto* results = rd_kafka_IncrementalAlterConfigs_result_resources(
      rd_kafka_event_IncrementalAlterConfigs_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    if (const auto code = rd_kafka_ConfigResource_error(results[i])) {
      return impl_->calls.Failure(what, code, rd_kafka_ConfigResource_error_string(results[i]));
    }
  }
  return Status::OK();
}

Result<OffsetSpan> Admin::SpanOf(const std::string& topic, int32_t partition) {
  return OffsetSpans(topic, {partition}).front();
}

std::vector<Result<OffsetSpan>> Admin::OffsetSpans(const std::string& topic,
                                                   const std::vector<int32_t>& partitions) {
  SpanAnswers answers(topic, partitions);
  const Status whole = impl_->AskSpans(topic, &answers);
  return answers.Finish(whole);
}

std::vector<Result<int64_t>> Admin::OffsetsAt(const std::string& topic,
                                              const std::vector<int32_t>& partitions,
                                              int64_t timestamp_ms) {
  const Deed what{"finding the offsets of topic " + topic + " at a time", ToDescribe(topic)};
  const auto event = impl_->AskOffsets(what, topic, partitions, timestamp_ms);
  if (!event.ok()) return {partitions.size(), event.status()};
  size_t count = 0;
  const auto* infos =
      rd_kafka_ListOffsets_result_infos(rd_kafka_event_ListOffsets_result(event->get()), &count);
  std::map<int32_t, Result<int64_t>> found;
  for (size_t i = 0; i < count; ++i) {
    const auto* one = rd_kafka_ListOffsetsResultInfo_topic_partition(infos[i]);
    const Deed of_one{what.what + " [" + std::to_string(one->partition) + "]", what.needs};
    found.emplace(one->partition, one->err ? Result<int64_t>(impl_->calls.Failure(of_one, one->err))
                                           : Result<int64_t>(one->offset));
  }
  std::vector<Result<int64_t>> offsets;
  for (const int32_t partition : partitions) {
    const auto answer = found.find(partition);
    offsets.push_back(answer == found.end() ? Unavailable("the leader of partition ", partition,
                                                          " of topic ", topic, " does not answer")
                                            : answer->second);
  }
  return offsets;
}

Result<std::vector<int64_t>> Admin::CommittedOffsets(const std::string& group,
                                                     const std::string& topic, int partitions) {
  const Deed what{"reading the committed offsets of group " + group,
                  ToDescribeGroup(group) + " and on topic " + topic};
  const PartitionListHandle list = ListPartitions(topic, AllPartitions(partitions));
  ARROW_ASSIGN_OR_RAISE(const GroupOffsets answer,
                        AskForOffsets(&impl_->calls, group, list.get(), what));
  if (answer.error != nullptr) {
    return impl_->calls.Failure(what, rd_kafka_error_code(answer.error),
                                rd_kafka_error_string(answer.error));
  }
  std::vector<int64_t> offsets(partitions, -1);
  for (int p = 0; answer.partitions != nullptr && p < answer.partitions->cnt; ++p) {
    const rd_kafka_topic_partition_t& one = answer.partitions->elems[p];
    if (one.err) return impl_->calls.Failure(what, one.err);
    if (one.offset >= 0) offsets.at(one.partition) = one.offset;
  }
  return offsets;
}

}  // namespace shopstream::kafka
