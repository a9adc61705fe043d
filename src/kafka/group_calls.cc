#include "kafka/group_calls.h"

#include <utility>

#include "kafka/group_description.h"

namespace shopstream::kafka {
namespace {

using WantedOffsets =
    Handle<rd_kafka_ListConsumerGroupOffsets_t, &rd_kafka_ListConsumerGroupOffsets_destroy>;

}  // namespace

std::string ToDescribeGroup(const std::string& group) {
  return "DESCRIBE on group " + group + " (READ includes it)";
}

Result<GroupNames> ListGroupNames(AdminCalls* calls, const Deed& deed) {
  ARROW_ASSIGN_OR_RAISE(const EventHandle event,
                        calls->Call(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, kClientsChoice, deed,
                                    [&](const auto* options, auto* queue) {
                                      rd_kafka_ListConsumerGroups(calls->client(), options, queue);
                                    }));
  const auto* result = rd_kafka_event_ListConsumerGroups_result(event.get());
  GroupNames listed;
  size_t count = 0;
  const auto** errors = rd_kafka_ListConsumerGroups_result_errors(result, &count);
  for (size_t i = 0; i < count; ++i) {
    listed.failures.push_back(
        calls->Failure(deed, rd_kafka_error_code(errors[i]), rd_kafka_error_string(errors[i])));
  }
  const auto** valid = rd_kafka_ListConsumerGroups_result_valid(result, &count);
  for (size_t i = 0; i < count; ++i) {
    listed.names.emplace_back(rd_kafka_ConsumerGroupListing_group_id(valid[i]));
  }
  return listed;
}

bool GroupAnswer::ok() const { return code == RD_KAFKA_RESP_ERR_NO_ERROR || IsNoGroup(code); }

Result<std::vector<GroupAnswer>> AskForGroups(AdminCalls* calls,
                                              const std::vector<std::string>& names,
                                              const Deed& deed) {
  std::vector<GroupAnswer> answers;
  if (names.empty()) return answers;
  std::vector<const char*> raw_names;
  for (const std::string& name : names) raw_names.push_back(name.c_str());
  ARROW_ASSIGN_OR_RAISE(const EventHandle event,
                        calls->Call(RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, kClientsChoice, deed,
                                    [&](const auto* options, auto* queue) {
                                      rd_kafka_DescribeConsumerGroups(
                                          calls->client(), raw_names.data(), raw_names.size(),
                                          options, queue);
                                    }));
  size_t count = 0;
  const auto** described = rd_kafka_DescribeConsumerGroups_result_groups(
      rd_kafka_event_DescribeConsumerGroups_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    GroupAnswer& answer = answers.emplace_back();
    answer.name = rd_kafka_ConsumerGroupDescription_group_id(described[i]);
    const auto* error = rd_kafka_ConsumerGroupDescription_error(described[i]);
    if (error != nullptr) answer.code = rd_kafka_error_code(error);
    if (answer.ok()) answer.description = ToGroupDescription(described[i]);
  }
  return answers;
}

Result<GroupOffsets> AskForOffsets(AdminCalls* calls, const std::string& group,
                                   const rd_kafka_topic_partition_list_t* wanted,
                                   const Deed& deed) {
  const WantedOffsets request(rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), wanted));
  rd_kafka_ListConsumerGroupOffsets_t* requests[] = {request.get()};
  GroupOffsets offsets;
  ARROW_ASSIGN_OR_RAISE(
      offsets.event, calls->Call(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, kClientsChoice, deed,
                                 [&](const auto* options, auto* queue) {
                                   rd_kafka_ListConsumerGroupOffsets(calls->client(), requests, 1,
                                                                     options, queue);
                                 }));
  size_t count = 0;
  const auto* results = rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(offsets.event.get()), &count);
  if (count > 0) {
    offsets.error = rd_kafka_group_result_error(results[0]);
    offsets.partitions = rd_kafka_group_result_partitions(results[0]);
  }
  return offsets;
}

}  // namespace shopstream::kafka
