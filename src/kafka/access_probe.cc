#include "kafka/access_probe.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "base/error_kind.h"
#include "base/retry.h"
#include "kafka/acl_codes.h"
#include "kafka/admin_calls.h"
#include "kafka/client.h"
#include "kafka/errors.h"
#include "kafka/group_description.h"
#include "kafka/handles.h"
#include "kafka/refused_access.h"

namespace shopstream::kafka {
namespace {

using ProbedTopicHandle = Handle<rd_kafka_NewTopic_t, &rd_kafka_NewTopic_destroy>;
using ProbedResourceHandle = Handle<rd_kafka_ConfigResource_t, &rd_kafka_ConfigResource_destroy>;
using ProbedNamesHandle = Handle<rd_kafka_TopicCollection_t, &rd_kafka_TopicCollection_destroy>;

// No topic has this name, so that trying to create it asks for CREATE on the cluster.
constexpr char kNoTopic[] = "shopstream-security-check";

void IncludeOperations(const rd_kafka_AdminOptions_t* options) {
  ErrorHandle(rd_kafka_AdminOptions_set_include_authorized_operations(
      const_cast<rd_kafka_AdminOptions_t*>(options), 1));
}

void ValidateOnly(const rd_kafka_AdminOptions_t* options) {
  std::array<char, 256> reason{};
  rd_kafka_AdminOptions_set_validate_only(const_cast<rd_kafka_AdminOptions_t*>(options), 1,
                                          reason.data(), reason.size());
}

// The brokers' list is complete.
Access Listed(ResourceType type, std::span<const rd_kafka_AclOperation_t> listed) {
  Access access;
  for (const Operation operation : OperationsOf(type)) {
    access.allowed[operation] =
        std::find(listed.begin(), listed.end(), CodeOf(operation)) != listed.end();
  }
  return access;
}

// Each of these includes the permission to describe the resource.
void DenyWhatDescribes(ResourceType type, Access* access) {
  for (const Operation operation : OperationsOf(type)) {
    const Acl acl{"", {type, "*"}, PatternType::kLiteral, operation};
    if (Allows(acl, {type, ""}, Operation::kDescribe)) access->allowed[operation] = false;
  }
}

}  // namespace

struct AccessProbe::Impl {
  AdminCalls calls;
  int32_t broker = 0;  // One that exists.

  Result<Access> Topic(const Resource& topic);
  Result<Access> Group(const Resource& group);
  Result<Access> AskGroup(const Resource& group);
  Result<Access> Cluster(const Resource& cluster);
  Result<Access> TransactionalId(const Resource& id) const;

  // Whether the brokers authorize an act; any other answer than a refusal follows authorization.
  Result<bool> Authorized(const Deed& deed, int code, const char* reason) const;
  Result<bool> MayCreateTopic(const std::string& name);
  Result<bool> MayDescribeConfigs(rd_kafka_ResourceType_t type, const std::string& name);
  Result<bool> MayAlterConfigs(rd_kafka_ResourceType_t type, const std::string& name);
  // CREATE (of `new_topic`), DESCRIBE_CONFIGS and ALTER_CONFIGS of a topic or broker.
  Status TryOthers(rd_kafka_ResourceType_t type, const std::string& name,
                   const std::string& new_topic, Access* access);
};

AccessProbe::AccessProbe(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AccessProbe::~AccessProbe() = default;

Result<std::unique_ptr<AccessProbe>> AccessProbe::Open(const KafkaConfig& config, Millis timeout) {
  ARROW_ASSIGN_OR_RAISE(AdminCalls calls, AdminCalls::Open(config, timeout));
  auto impl = std::make_unique<Impl>(Impl{std::move(calls)});
  const Deed what{"logging in as " + Principal(config), ""};
  ARROW_ASSIGN_OR_RAISE(const EventHandle event,
                        impl->calls.Call(RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER, kClientsChoice, what,
                                         [&](const auto* options, auto* queue) {
                                           rd_kafka_DescribeCluster(impl->calls.client(), options,
                                                                    queue);
                                         }));
  size_t count = 0;
  const auto* nodes = rd_kafka_DescribeCluster_result_nodes(
      rd_kafka_event_DescribeCluster_result(event.get()), &count);
  if (count > 0) impl->broker = rd_kafka_Node_id(nodes[0]);
  return std::unique_ptr<AccessProbe>(new AccessProbe(std::move(impl)));
}

Result<Access> AccessProbe::Try(const Resource& resource) {
  switch (resource.type) {
    case ResourceType::kTopic:
      return impl_->Topic(resource);
    case ResourceType::kGroup:
      return impl_->Group(resource);
    case ResourceType::kCluster:
      return impl_->Cluster(resource);
    case ResourceType::kTransactionalId:
      break;
  }
  return impl_->TransactionalId(resource);
}

Result<bool> AccessProbe::Impl::Authorized(const Deed& deed, int code, const char* reason) const {
  if (IsRefusedAccess(code)) return false;
  switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return true;
    default:
      return calls.Failure(deed, code, reason);
  }
}

Result<bool> AccessProbe::Impl::MayCreateTopic(const std::string& name) {
  const Deed deed{"trying to create topic " + name, "CREATE on topic " + name};
  std::array<char, 256> reason{};
  const ProbedTopicHandle topic(
      rd_kafka_NewTopic_new(name.c_str(), 1, 1, reason.data(), reason.size()));
  if (topic == nullptr) return Status::Invalid(deed.what, ": ", reason.data());
  rd_kafka_NewTopic_t* topics[] = {topic.get()};
  ARROW_ASSIGN_OR_RAISE(const EventHandle event,
                        calls.Call(RD_KAFKA_ADMIN_OP_CREATETOPICS, kClientsChoice, deed,
                                   [&](const auto* options, auto* queue) {
                                     ValidateOnly(options);
                                     rd_kafka_CreateTopics(calls.client(), topics, 1, options,
                                                           queue);
                                   }));
  size_t count = 0;
  const auto** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  if (count == 0) return calls.Failure(deed, RD_KAFKA_RESP_ERR__TIMED_OUT);
  return Authorized(deed, rd_kafka_topic_result_error(results[0]),
                    rd_kafka_topic_result_error_string(results[0]));
}

Result<bool> AccessProbe::Impl::MayDescribeConfigs(rd_kafka_ResourceType_t type,
                                                   const std::string& name) {
  const Deed deed{"trying to read the settings of " + name, "DESCRIBE_CONFIGS on " + name};
  const ProbedResourceHandle resource(rd_kafka_ConfigResource_new(type, name.c_str()));
  rd_kafka_ConfigResource_t* resources[] = {resource.get()};
  ARROW_ASSIGN_OR_RAISE(const EventHandle event,
                        calls.Call(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, kClientsChoice, deed,
                                   [&](const auto* options, auto* queue) {
                                     rd_kafka_DescribeConfigs(calls.client(), resources, 1, options,
                                                              queue);
                                   }));
  size_t count = 0;
  const auto** results = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  if (count == 0) return calls.Failure(deed, RD_KAFKA_RESP_ERR__TIMED_OUT);
  return Authorized(deed, rd_kafka_ConfigResource_error(results[0]),
                    rd_kafka_ConfigResource_error_string(results[0]));
}

// Harmless even if it were not only validated: no topic has this policy, and the brokers have no
// such limit of their own. (They check what brokers are to be set to before they authorize it.)
Result<bool> AccessProbe::Impl::MayAlterConfigs(rd_kafka_ResourceType_t type,
                                                const std::string& name) {
  const Deed deed{"trying to change the settings of " + name, "ALTER_CONFIGS on " + name};
  const ProbedResourceHandle resource(rd_kafka_ConfigResource_new(type, name.c_str()));
  const bool is_topic = type == RD_KAFKA_RESOURCE_TOPIC;
  const ErrorHandle error(rd_kafka_ConfigResource_add_incremental_config(
      resource.get(), is_topic ? "cleanup.policy" : "leader.replication.throttled.rate",
      is_topic ? RD_KAFKA_ALTER_CONFIG_OP_TYPE_SET : RD_KAFKA_ALTER_CONFIG_OP_TYPE_DELETE,
      is_topic ? "shopstream-security-check" : nullptr));
  if (error != nullptr) return Status::Invalid(deed.what, ": ", rd_kafka_error_string(error.get()));
  rd_kafka_ConfigResource_t* resources[] = {resource.get()};
  ARROW_ASSIGN_OR_RAISE(const EventHandle event,
                        calls.Call(RD_KAFKA_ADMIN_OP_INCREMENTALALTERCONFIGS, kClientsChoice, deed,
                                   [&](const auto* options, auto* queue) {
                                     ValidateOnly(options);
                                     rd_kafka_IncrementalAlterConfigs(calls.client(), resources, 1,
                                                                      options, queue);
                                   }));
  size_t count = 0;
  const auto** results = rd_kafka_IncrementalAlterConfigs_result_resources(
      rd_kafka_event_IncrementalAlterConfigs_result(event.get()), &count);
  if (count == 0) return calls.Failure(deed, RD_KAFKA_RESP_ERR__TIMED_OUT);
  return Authorized(deed, rd_kafka_ConfigResource_error(results[0]),
                    rd_kafka_ConfigResource_error_string(results[0]));
}

Status AccessProbe::Impl::TryOthers(rd_kafka_ResourceType_t type, const std::string& name,
                                    const std::string& new_topic, Access* access) {
  ARROW_ASSIGN_OR_RAISE(access->allowed[Operation::kCreate], MayCreateTopic(new_topic));
  ARROW_ASSIGN_OR_RAISE(access->allowed[Operation::kDescribeConfigs],
                        MayDescribeConfigs(type, name));
  ARROW_ASSIGN_OR_RAISE(access->allowed[Operation::kAlterConfigs], MayAlterConfigs(type, name));
  return Status::OK();
}

Result<Access> AccessProbe::Impl::Topic(const Resource& topic) {
  const Deed deed{"describing topic " + topic.name, "DESCRIBE on topic " + topic.name};
  const char* names[] = {topic.name.c_str()};
  const ProbedNamesHandle collection(rd_kafka_TopicCollection_of_topic_names(names, 1));
  ARROW_ASSIGN_OR_RAISE(const EventHandle event,
                        calls.Call(RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, broker, deed,
                                   [&](const auto* options, auto* queue) {
                                     IncludeOperations(options);
                                     rd_kafka_DescribeTopics(calls.client(), collection.get(),
                                                             options, queue);
                                   }));
  size_t count = 0;
  const auto** results = rd_kafka_DescribeTopics_result_topics(
      rd_kafka_event_DescribeTopics_result(event.get()), &count);
  if (count == 0) return calls.Failure(deed, RD_KAFKA_RESP_ERR__TIMED_OUT);
  const rd_kafka_error_t* error = rd_kafka_TopicDescription_error(results[0]);
  const auto code = rd_kafka_error_code(error);
  ARROW_ASSIGN_OR_RAISE(const bool described,
                        Authorized(deed, code, error ? rd_kafka_error_string(error) : nullptr));
  if (described && code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const auto* listed = rd_kafka_TopicDescription_authorized_operations(results[0], &count);
    return Listed(topic.type, {listed, count});
  }
  Access access;
  if (described) {
    access.allowed[Operation::kDescribe] = true;
    access.unknown = "there is no topic " + topic.name;
  } else {
    DenyWhatDescribes(topic.type, &access);
  }
  ARROW_RETURN_NOT_OK(TryOthers(RD_KAFKA_RESOURCE_TOPIC, topic.name, topic.name, &access));
  return access;
}

// The coordinator may have just changed, or may not exist before the first group does.
Result<Access> AccessProbe::Impl::Group(const Resource& group) {
  Retry retry(
      {.patience = {
           .first = Millis{100}, .longest = Millis{1000}, .give_up_after = calls.timeout()}});
  while (true) {
    auto access = AskGroup(group);
    if (access.ok() || !IsUnavailable(access.status())) return access;
    if (!retry.Wait(access.status()).ok()) return access;
  }
}

Result<Access> AccessProbe::Impl::AskGroup(const Resource& group) {
  const Deed deed{"describing group " + group.name, "DESCRIBE on group " + group.name};
  const char* names[] = {group.name.c_str()};
  ARROW_ASSIGN_OR_RAISE(const EventHandle event,
                        calls.Call(RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, kClientsChoice, deed,
                                   [&](const auto* options, auto* queue) {
                                     IncludeOperations(options);
                                     rd_kafka_DescribeConsumerGroups(calls.client(), names, 1,
                                                                     options, queue);
                                   }));
  size_t count = 0;
  const auto** results = rd_kafka_DescribeConsumerGroups_result_groups(
      rd_kafka_event_DescribeConsumerGroups_result(event.get()), &count);
  if (count == 0) return calls.Failure(deed, RD_KAFKA_RESP_ERR__TIMED_OUT);
  const rd_kafka_error_t* error = rd_kafka_ConsumerGroupDescription_error(results[0]);
  const auto code = rd_kafka_error_code(error);
  if (IsRefusedAccess(code)) {
    Access access;
    DenyWhatDescribes(group.type, &access);
    return access;
  }
  if (IsNoGroup(code)) {
    return Access{{{Operation::kDescribe, true}}, "there is no group " + group.name};
  }
  if (code) return calls.Failure(deed, code, rd_kafka_error_string(error));
  const auto* listed = rd_kafka_ConsumerGroupDescription_authorized_operations(results[0], &count);
  return Listed(group.type, {listed, count});
}

Result<Access> AccessProbe::Impl::Cluster(const Resource& cluster) {
  const Deed deed{"describing the cluster", ""};
  ARROW_ASSIGN_OR_RAISE(const EventHandle event,
                        calls.Call(RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER, broker, deed,
                                   [&](const auto* options, auto* queue) {
                                     IncludeOperations(options);
                                     rd_kafka_DescribeCluster(calls.client(), options, queue);
                                   }));
  size_t count = 0;
  const auto* listed = rd_kafka_DescribeCluster_result_authorized_operations(
      rd_kafka_event_DescribeCluster_result(event.get()), &count);
  if (count > 0) return Listed(cluster.type, {listed, count});
  // The brokers list them only for those who may describe the cluster.
  Access access;
  DenyWhatDescribes(cluster.type, &access);
  ARROW_RETURN_NOT_OK(
      TryOthers(RD_KAFKA_RESOURCE_BROKER, std::to_string(broker), kNoTopic, &access));
  return access;
}

Result<Access> AccessProbe::Impl::TransactionalId(const Resource& id) const {
  const Deed deed{"opening transactional id " + id.name, "WRITE on transactional id " + id.name};
  ARROW_ASSIGN_OR_RAISE(rd_kafka_conf_s * conf,
                        MakeConf(calls.config(), {{"transactional.id", id.name}}, nullptr));
  // A refusal is an answer here, and the client would log it as a fatal error.
  rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
  ARROW_ASSIGN_OR_RAISE(const ClientHandle client, OpenClient(ClientKind::kProducer, conf));
  const ErrorHandle error(
      rd_kafka_init_transactions(client.get(), static_cast<int>(calls.timeout().count())));
  const auto code =
      error == nullptr ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error.get());
  ARROW_ASSIGN_OR_RAISE(
      const bool allowed,
      Authorized(deed, code, error == nullptr ? nullptr : rd_kafka_error_string(error.get())));
  return Access{{{Operation::kWrite, allowed}}, ""};
}

}  // namespace shopstream::kafka
