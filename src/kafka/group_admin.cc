#include "kafka/group_admin.h"

#include <utility>

#include "base/error_kind.h"
#include "base/retry.h"
#include "kafka/admin_calls.h"
#include "kafka/group_calls.h"
#include "kafka/group_description.h"

namespace shopstream::kafka {
namespace {

using OffsetsToCommitHandle =
    Handle<rd_kafka_AlterConsumerGroupOffsets_t, &rd_kafka_AlterConsumerGroupOffsets_destroy>;

Deed CommitDeed(const std::string& group, const TopicPartition& at) {
  return {"committing an offset of group " + group + " for " + at.topic + " [" +
              std::to_string(at.partition) + "]",
          "READ on group " + group + " and on topic " + at.topic};
}

}  // namespace

struct GroupAdmin::Impl {
  AdminCalls calls;

  // Adds them to the list. Those whose coordinator is settling are returned: they have an error.
  Result<std::vector<std::string>> Describe(AdminCalls* client,
                                            const std::vector<std::string>& names,
                                            GroupList* list) const;
  void DescribeAgain(std::vector<std::string> settling, GroupList* list) const;
  void TakeCommitted(const rd_kafka_topic_partition_t& partition, const Deed& deed,
                     std::map<TopicPartition, Result<CommittedOffset>>* offsets);
  void TakeAnswers(rd_kafka_event_t* event, const std::string& group,
                   std::map<TopicPartition, Status>* answers);
};

GroupAdmin::GroupAdmin(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GroupAdmin::~GroupAdmin() = default;

Result<std::unique_ptr<GroupAdmin>> GroupAdmin::Open(const KafkaConfig& config, Millis timeout) {
  ARROW_ASSIGN_OR_RAISE(AdminCalls calls, AdminCalls::Open(config, timeout));
  return std::unique_ptr<GroupAdmin>(
      new GroupAdmin(std::make_unique<Impl>(Impl{std::move(calls)})));
}

Result<std::vector<std::string>> GroupAdmin::Impl::Describe(AdminCalls* client,
                                                            const std::vector<std::string>& names,
                                                            GroupList* list) const {
  const Deed what{"describing the groups", "DESCRIBE on the groups"};
  ARROW_ASSIGN_OR_RAISE(auto answers, AskForGroups(client, names, what));
  std::vector<std::string> settling;
  for (GroupAnswer& answer : answers) {
    if (answer.ok()) {
      list->groups.insert_or_assign(answer.name, std::move(answer.description));
      continue;
    }
    if (IsSettling(answer.code)) settling.push_back(answer.name);
    list->groups.insert_or_assign(answer.name, client->Failure({"describing group " + answer.name,
                                                                ToDescribeGroup(answer.name)},
                                                               answer.code));
  }
  return settling;
}

// Until their coordinators answer, or the timeout. What fails stays an error of its group.
void GroupAdmin::Impl::DescribeAgain(std::vector<std::string> settling, GroupList* list) const {
  Retry retry(
      {.patience = {
           .first = Millis{100}, .longest = Millis{1000}, .give_up_after = calls.timeout()}});
  while (!settling.empty() && retry.Wait(list->groups.at(settling.front()).status()).ok()) {
    // A client remembers the coordinators; a new one looks them up.
    auto fresh = AdminCalls::Open(calls.config(), calls.timeout());
    if (!fresh.ok()) return;
    auto still = Describe(&*fresh, settling, list);
    if (!still.ok()) return;
    settling = *std::move(still);
  }
}

Result<GroupList> GroupAdmin::List() {
  const Deed what{"listing the groups", "DESCRIBE on the groups"};
  ARROW_ASSIGN_OR_RAISE(GroupNames listed, ListGroupNames(&impl_->calls, what));
  if (listed.names.empty() && !listed.failures.empty()) return listed.failures.front();
  GroupList list;
  list.failures = std::move(listed.failures);
  ARROW_ASSIGN_OR_RAISE(auto settling, impl_->Describe(&impl_->calls, listed.names, &list));
  impl_->DescribeAgain(std::move(settling), &list);
  return list;
}

void GroupAdmin::Impl::TakeCommitted(const rd_kafka_topic_partition_t& partition, const Deed& deed,
                                     std::map<TopicPartition, Result<CommittedOffset>>* offsets) {
  const TopicPartition at{partition.topic, partition.partition};
  if (partition.err) {
    offsets->emplace(at, calls.Failure(deed, partition.err));
  } else if (partition.offset >= 0) {
    const char* bytes = static_cast<const char*>(partition.metadata);
    const size_t size = bytes == nullptr ? 0 : partition.metadata_size;
    offsets->emplace(at, CommittedOffset{partition.offset, std::string(bytes, bytes + size)});
  }
}

Result<std::map<TopicPartition, Result<CommittedOffset>>> GroupAdmin::Committed(
    const std::string& group) {
  const Deed what{"reading the committed offsets of group " + group, ToDescribeGroup(group)};
  ARROW_ASSIGN_OR_RAISE(const GroupOffsets answer,
                        AskForOffsets(&impl_->calls, group, nullptr, what));
  std::map<TopicPartition, Result<CommittedOffset>> offsets;
  if (answer.error != nullptr) {
    const auto code = rd_kafka_error_code(answer.error);
    if (IsNoGroup(code)) return offsets;
    return impl_->calls.Failure(what, code, rd_kafka_error_string(answer.error));
  }
  for (int p = 0; answer.partitions != nullptr && p < answer.partitions->cnt; ++p) {
    impl_->TakeCommitted(answer.partitions->elems[p], what, &offsets);
  }
  return offsets;
}

std::map<TopicPartition, Status> GroupAdmin::Commit(
    const std::string& group, const std::map<TopicPartition, int64_t>& offsets) {
  std::map<TopicPartition, Status> answers;
  if (offsets.empty()) return answers;
  PartitionListHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const auto& [at, offset] : offsets) {
    rd_kafka_topic_partition_list_add(list.get(), at.topic.c_str(), at.partition)->offset = offset;
  }
  const OffsetsToCommitHandle wanted(
      rd_kafka_AlterConsumerGroupOffsets_new(group.c_str(), list.get()));
  rd_kafka_AlterConsumerGroupOffsets_t* groups[] = {wanted.get()};
  const Deed what = CommitDeed(group, offsets.begin()->first);
  const auto event = impl_->calls.Call(RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, kClientsChoice,
                                       what, [&](const auto* options, auto* queue) {
                                         rd_kafka_AlterConsumerGroupOffsets(
                                             impl_->calls.client(), groups, 1, options, queue);
                                       });
  for (const auto& [at, offset] : offsets) {
    answers.emplace(
        at, event.ok() ? Unavailable("Kafka did not answer for ", at.topic, " [", at.partition, "]")
                       : event.status());
  }
  if (!event.ok()) return answers;
  impl_->TakeAnswers(event->get(), group, &answers);
  return answers;
}

void GroupAdmin::Impl::TakeAnswers(rd_kafka_event_t* event, const std::string& group,
                                   std::map<TopicPartition, Status>* answers) {
  size_t count = 0;
  const auto* results = rd_kafka_AlterConsumerGroupOffsets_result_groups(
      rd_kafka_event_AlterConsumerGroupOffsets_result(event), &count);
  for (size_t i = 0; i < count; ++i) {
    if (const rd_kafka_error_t* error = rd_kafka_group_result_error(results[i])) {
      for (auto& [at, answer] : *answers) {
        answer = calls.Failure(CommitDeed(group, at), rd_kafka_error_code(error),
                               rd_kafka_error_string(error));
      }
      continue;
    }
    const auto* done = rd_kafka_group_result_partitions(results[i]);
    for (int p = 0; p < done->cnt; ++p) {
      const rd_kafka_topic_partition_t& one = done->elems[p];
      const TopicPartition at{one.topic, one.partition};
      answers->insert_or_assign(
          at, one.err ? calls.Failure(CommitDeed(group, at), one.err) : Status::OK());
    }
  }
}

}  // namespace shopstream::kafka
