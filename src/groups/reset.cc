#include "groups/reset.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/format.h"
#include "base/joined_ids.h"
#include "kafka/absent_topic.h"
#include "kafka/admin.h"

namespace shopstream::groups {
namespace {

using kafka::OffsetReset;
using kafka::ResetTarget;
using kafka::TopicPartition;

// ---- what must not be reset

Status RefuseLakeGroup(const std::string& group, const std::string& why) {
  return Status::Invalid(
      "group ", group, " is not reset: ", why,
      ". Its progress is in the lake's Bronze table, and the offsets committed to Kafka are only "
      "for displays: a reset would change nothing. `shopstream progress show` shows the progress; "
      "`shopstream progress accept-loss PARTITION --until OFFSET` skips records, and records the "
      "loss; to read the topic again, ingest it into other tables (lake.bronze_table, "
      "lake.quarantine_table)");
}

Status CheckIsNoLakes(const GroupStanding& standing, const std::string& group) {
  if (!standing.is_read_for_a_lake()) return Status::OK();
  return RefuseLakeGroup(group, "a ShopStream ingest reads with it");
}

Status CheckHasNoMembers(const kafka::GroupDescription& group) {
  if (group.members.empty()) return Status::OK();
  constexpr size_t kNamed = 10;
  std::string names;
  for (size_t i = 0; i < std::min(kNamed, group.members.size()); ++i) {
    names += (i == 0 ? "" : "; ") + group.members[i].name;
    for (const auto& [topic, partitions] : group.members[i].partitions) {
      names += ", reads " + topic + ":" + JoinedIds(partitions);
    }
  }
  if (group.members.size() > kNamed) names += "; and others";
  return Status::Invalid("group ", group.name, " is not reset: it has ",
                         Counted(static_cast<int64_t>(group.members.size()), "active member"), " (",
                         names, "), which would commit over it. Stop them first; one that died ",
                         "leaves when its session times out");
}

// ---- the plan

Result<ChosenPartitions> PartitionsToReset(const ResetRequest& request,
                                           const GroupStanding& standing) {
  ChosenPartitions chosen = request.chosen;
  for (const auto& [at, offset] : request.target.listed) {
    chosen[at.topic].push_back(at.partition);
  }
  if (!chosen.empty()) return chosen;
  for (const auto& [at, offset] : standing.committed) chosen[at.topic].push_back(at.partition);
  if (chosen.empty()) {
    return Status::Invalid("group ", request.group, " has committed no offset, so that its topics ",
                           "are not known: name them with --topic");
  }
  return chosen;
}

// All of the topic for an empty list. KeyError: there is no such topic or partition.
Result<std::vector<int32_t>> ExistingPartitions(const KafkaConfig& config, kafka::Admin* admin,
                                                const std::string& topic,
                                                const std::vector<int32_t>& wanted,
                                                std::vector<int32_t>* others) {
  ARROW_ASSIGN_OR_RAISE(const auto state, admin->DescribeTopic(topic, false));
  if (!state) return kafka::DescribeAbsence(topic, config, admin);
  const size_t count = state->partitions.size();
  if (wanted.empty()) return kafka::AllPartitions(count);
  *others = kafka::AllPartitions(count);
  std::erase_if(*others, [&](int32_t id) { return std::ranges::find(wanted, id) != wanted.end(); });
  for (const int32_t partition : wanted) {
    if (static_cast<size_t>(partition) < count) continue;
    return Status::KeyError("topic ", topic, " has no partition ", partition,
                            ": its partitions are 0 to ", count - 1);
  }
  return wanted;
}

// Asked only for partitions that answer: the client waits for the others.
std::map<int32_t, Result<int64_t>> OffsetsAtTime(
    kafka::Admin* admin, const std::string& topic, const std::vector<int32_t>& partitions,
    const std::vector<Result<kafka::OffsetSpan>>& spans, int64_t time_ms) {
  std::vector<int32_t> answering;
  for (size_t i = 0; i < partitions.size(); ++i) {
    if (spans[i].ok()) answering.push_back(partitions[i]);
  }
  std::map<int32_t, Result<int64_t>> times;
  if (answering.empty()) return times;
  const auto offsets = admin->OffsetsAt(topic, answering, time_ms);
  for (size_t i = 0; i < answering.size(); ++i) times.emplace(answering[i], offsets[i]);
  return times;
}

Status PlanTopic(kafka::Admin* admin, const std::string& topic,
                 const std::vector<int32_t>& partitions, const ResetTarget& target,
                 const GroupStanding& standing, std::vector<OffsetReset>* plan) {
  const auto spans = admin->OffsetSpans(topic, partitions);
  std::map<int32_t, Result<int64_t>> times;
  if (target.kind == ResetTarget::Kind::kTime) {
    times = OffsetsAtTime(admin, topic, partitions, spans, target.number);
  }
  for (size_t i = 0; i < partitions.size(); ++i) {
    const TopicPartition at{topic, partitions[i]};
    kafka::ResetFacts facts{std::nullopt, spans[i]};
    if (const auto found = standing.committed.find(at); found != standing.committed.end()) {
      ARROW_ASSIGN_OR_RAISE(const kafka::CommittedOffset committed, found->second);
      facts.committed = committed.offset;
    }
    if (const auto time = times.find(at.partition); time != times.end()) {
      facts.at_time = time->second;
    }
    plan->push_back(kafka::PlanReset(at, target, facts));
  }
  return Status::OK();
}

}  // namespace

bool ResetPlan::possible() const {
  return std::ranges::all_of(resets,
                             [](const OffsetReset& reset) { return reset.after.has_value(); });
}

Result<ResetPlan> PlanGroupReset(const KafkaConfig& config, const ResetRequest& request,
                                 kafka::GroupAdmin* groups) {
  if (request.group == config.group) {
    return RefuseLakeGroup(request.group, "it is the group of ingest (kafka.group)");
  }
  KafkaConfig kafka = config;
  kafka.group = request.group;
  ARROW_ASSIGN_OR_RAISE(const GroupStanding standing, ReadGroup(kafka, groups));
  ARROW_RETURN_NOT_OK(CheckIsNoLakes(standing, request.group));
  ARROW_RETURN_NOT_OK(CheckHasNoMembers(standing.group));
  const bool is_named = !request.chosen.empty() || !request.target.listed.empty();
  if (!standing.known() && !is_named) return NoSuchGroup(kafka, groups);
  ResetPlan plan;
  plan.creates_group = !standing.known();
  ARROW_ASSIGN_OR_RAISE(const ChosenPartitions chosen, PartitionsToReset(request, standing));
  ARROW_ASSIGN_OR_RAISE(const auto admin, kafka::Admin::Open(kafka));
  for (const auto& [topic, wanted] : chosen) {
    std::vector<int32_t> others;
    ARROW_ASSIGN_OR_RAISE(const auto partitions,
                          ExistingPartitions(kafka, admin.get(), topic, wanted, &others));
    if (!is_named && !others.empty()) plan.left_out[topic] = others;
    ARROW_RETURN_NOT_OK(
        PlanTopic(admin.get(), topic, partitions, request.target, standing, &plan.resets));
  }
  return plan;
}

bool ExecuteReset(const std::string& group, ResetPlan* plan, kafka::GroupAdmin* groups) {
  std::map<TopicPartition, int64_t> offsets;
  for (const OffsetReset& reset : plan->resets) offsets.emplace(reset.at, *reset.after);
  const auto answers = groups->Commit(group, offsets);
  const auto committed = groups->Committed(group);
  bool all = true;
  for (OffsetReset& reset : plan->resets) {
    const int64_t planned = *reset.after;
    reset.after = std::nullopt;
    if (committed.ok()) {
      const auto now = committed->find(reset.at);
      if (now != committed->end() && now->second.ok()) reset.after = now->second->offset;
    }
    const Status& answer = answers.at(reset.at);
    if (!answer.ok()) {
      reset.note = answer.message();
    } else if (!committed.ok()) {
      reset.note = "Kafka accepted " + std::to_string(planned) +
                   ", but it cannot be read back: " + committed.status().message();
    } else if (reset.after != planned) {
      reset.note = "Kafka accepted " + std::to_string(planned) + ", but another program has " +
                   "committed since";
    }
    all = all && answer.ok() && reset.after == planned;
  }
  return all;
}

}  // namespace shopstream::groups
