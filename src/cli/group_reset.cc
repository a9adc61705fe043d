#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/format.h"
#include "base/log.h"
#include "base/read_file.h"
#include "base/table_printer.h"
#include "base/timestamp.h"
#include "cli/absent_topic.h"
#include "cli/command.h"
#include "cli/consume_start.h"
#include "cli/group_commands.h"
#include "cli/joined_ids.h"
#include "kafka/admin.h"
#include "kafka/offset_reset.h"

namespace shopstream::cli {
namespace {

using kafka::OffsetReset;
using kafka::ResetTarget;
using kafka::TopicPartition;

// The partitions of each topic; empty: all of them.
using ChosenPartitions = std::map<std::string, std::vector<int32_t>>;

struct ResetFlags {
  std::string group;
  std::vector<std::string> topics;
  bool to_earliest = false, to_latest = false;
  std::optional<int64_t> to_time;
  std::optional<uint64_t> to_offset;
  std::optional<std::string> from_file;
  bool execute = false;
};

// "clicks" or "clicks:0,2"
Status AddChosen(const std::string& text, ChosenPartitions* chosen) {
  const size_t colon = text.find(':');
  std::vector<int32_t> partitions;
  if (colon != std::string::npos) {
    ARROW_ASSIGN_OR_RAISE(partitions, ParsePartitions(text.substr(colon + 1)));
  }
  const std::string topic = text.substr(0, colon);
  if (topic.empty()) {
    return Status::Invalid("'", text, "' is not a topic, or a topic and partitions: clicks:0,2");
  }
  if (!chosen->emplace(topic, std::move(partitions)).second) {
    return Status::Invalid("--topic names ", topic, " twice: list its partitions together, as in ",
                           topic, ":0,2");
  }
  return Status::OK();
}

Result<ChosenPartitions> Chosen(const ResetFlags& flags) {
  ChosenPartitions chosen;
  for (const std::string& text : flags.topics) {
    ARROW_RETURN_NOT_OK(AddChosen(text, &chosen));
  }
  return chosen;
}

Status CheckResetFlags(const ResetFlags& flags) {
  const int targets = flags.to_earliest + flags.to_latest + flags.to_time.has_value() +
                      flags.to_offset.has_value() + flags.from_file.has_value();
  if (targets != 1) {
    return Status::Invalid("give exactly one of --to-earliest, --to-latest, --to-time, ",
                           "--to-offset and --from-file");
  }
  if (flags.from_file && !flags.topics.empty()) {
    return Status::Invalid("--from-file names the partitions itself: leave --topic out");
  }
  if (flags.to_time && *flags.to_time < 0) {
    return Status::Invalid("--to-time is before 1970, and no record is: use --to-earliest");
  }
  return Chosen(flags).status();
}

Result<ResetTarget> TargetOf(const ResetFlags& flags) {
  if (flags.to_earliest) return ResetTarget{ResetTarget::Kind::kEarliest};
  if (flags.to_latest) return ResetTarget{ResetTarget::Kind::kLatest};
  if (flags.to_time) return ResetTarget{ResetTarget::Kind::kTime, *flags.to_time};
  if (flags.to_offset) {
    return ResetTarget{ResetTarget::Kind::kOffset, static_cast<int64_t>(*flags.to_offset)};
  }
  ARROW_ASSIGN_OR_RAISE(const std::string text, ReadFile(*flags.from_file));
  ResetTarget target{ResetTarget::Kind::kListed};
  ARROW_ASSIGN_OR_RAISE(target.listed, kafka::ParseOffsetFile(text, *flags.from_file));
  return target;
}

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

Result<ChosenPartitions> PartitionsToReset(const ResetFlags& flags, const ResetTarget& target,
                                           const GroupStanding& standing) {
  ARROW_ASSIGN_OR_RAISE(ChosenPartitions chosen, Chosen(flags));
  for (const auto& [at, offset] : target.listed) chosen[at.topic].push_back(at.partition);
  if (!chosen.empty()) return chosen;
  for (const auto& [at, offset] : standing.committed) chosen[at.topic].push_back(at.partition);
  if (chosen.empty()) {
    return Status::Invalid("group ", flags.group, " has committed no offset, so that its topics ",
                           "are not known: name them with --topic");
  }
  return chosen;
}

// Nobody named the partitions: they are those that the group has committed.
void WarnOfUncommitted(const std::string& topic, size_t count, const std::vector<int32_t>& wanted) {
  std::vector<int32_t> others = kafka::AllPartitions(count);
  std::erase_if(others, [&](int32_t id) { return std::ranges::find(wanted, id) != wanted.end(); });
  if (others.empty()) return;
  Log::Warn(
      "topic {}: partitions {} are not included, as the group has committed nothing there; "
      "--topic {} includes them",
      topic, JoinedIds(others), topic);
}

// All of the topic for an empty list. KeyError: there is no such topic or partition.
Result<std::vector<int32_t>> ExistingPartitions(const KafkaConfig& config, const ResetFlags& flags,
                                                kafka::Admin* admin, const std::string& topic,
                                                const std::vector<int32_t>& wanted) {
  ARROW_ASSIGN_OR_RAISE(const auto state, admin->DescribeTopic(topic, false));
  if (!state) return DescribeAbsence(topic, config, admin);
  const size_t count = state->partitions.size();
  if (wanted.empty()) return kafka::AllPartitions(count);
  if (flags.topics.empty() && !flags.from_file) WarnOfUncommitted(topic, count, wanted);
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

Result<std::vector<OffsetReset>> Plan(const KafkaConfig& config, const ResetFlags& flags,
                                      const ResetTarget& target, const GroupStanding& standing) {
  ARROW_ASSIGN_OR_RAISE(const ChosenPartitions chosen, PartitionsToReset(flags, target, standing));
  ARROW_ASSIGN_OR_RAISE(const auto admin, kafka::Admin::Open(config));
  std::vector<OffsetReset> plan;
  for (const auto& [topic, wanted] : chosen) {
    ARROW_ASSIGN_OR_RAISE(const auto partitions,
                          ExistingPartitions(config, flags, admin.get(), topic, wanted));
    ARROW_RETURN_NOT_OK(PlanTopic(admin.get(), topic, partitions, target, standing, &plan));
  }
  return plan;
}

// ---- the change

// Commits the plan and reads it back: what Kafka has then is what the report shows. False: some
// partition is not as planned, or what Kafka has is not known; its note says why.
bool Execute(const std::string& group, kafka::GroupAdmin* groups, std::vector<OffsetReset>* plan) {
  std::map<TopicPartition, int64_t> offsets;
  for (const OffsetReset& reset : *plan) offsets.emplace(reset.at, *reset.after);
  const auto answers = groups->Commit(group, offsets);
  const auto committed = groups->Committed(group);
  bool all = true;
  for (OffsetReset& reset : *plan) {
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

void PrintResets(const std::vector<OffsetReset>& plan, bool as_json) {
  TablePrinter table({"topic", "partition", "before", "after", "log_start", "end", "lag", "note"});
  for (const OffsetReset& reset : plan) {
    std::optional<int64_t> lag;
    if (reset.span && reset.after) {
      lag = std::max<int64_t>(0, reset.span->end - std::max(*reset.after, reset.span->log_start));
    }
    table.AddRow({reset.at.topic, reset.at.partition, OrNull(reset.before), OrNull(reset.after),
                  reset.span ? Cell(reset.span->log_start) : Cell(nullptr),
                  reset.span ? Cell(reset.span->end) : Cell(nullptr), OrNull(lag), reset.note});
  }
  table.Print(std::cout, as_json);
}

Result<int> ResetOffsets(const Context& context, const ResetFlags& flags) {
  KafkaConfig kafka = context.config.kafka;
  if (flags.group == kafka.group) {
    return RefuseLakeGroup(flags.group, "it is the group of ingest (kafka.group)");
  }
  kafka.group = flags.group;
  ARROW_ASSIGN_OR_RAISE(const ResetTarget target, TargetOf(flags));
  ARROW_ASSIGN_OR_RAISE(const auto groups, kafka::GroupAdmin::Open(kafka));
  ARROW_ASSIGN_OR_RAISE(const GroupStanding standing, ReadGroup(kafka, groups.get()));
  ARROW_RETURN_NOT_OK(CheckIsNoLakes(standing, kafka.group));
  ARROW_RETURN_NOT_OK(CheckHasNoMembers(standing.group));
  if (!standing.known() && flags.topics.empty() && !flags.from_file) {
    return NoSuchGroup(kafka, groups.get());
  }
  if (!standing.known()) {
    Log::Warn("group {} does not exist yet; --execute creates it{}", kafka.group,
              NearGroup(kafka.group, groups.get()));
  }
  ARROW_ASSIGN_OR_RAISE(auto plan, Plan(kafka, flags, target, standing));
  const bool possible =
      std::ranges::all_of(plan, [](const OffsetReset& reset) { return reset.after.has_value(); });
  if (!possible || !flags.execute) {
    PrintResets(plan, context.json);
    Log::Tell(LogLevel::kInfo,
              possible ? "Dry run: nothing was changed. Add --execute to change it."
                       : "Nothing was changed: some partitions cannot be reset this way.");
    return possible ? kDone : kDifferenceFound;
  }
  const bool done = Execute(kafka.group, groups.get(), &plan);
  PrintResets(plan, context.json);
  return done ? kDone : kFailed;
}

}  // namespace

Command GroupResetCommand() {
  auto flags = std::make_shared<ResetFlags>();
  return {
      .name = "reset-offsets",
      .meaning = "Move a group without members to other offsets; shows the change unless --execute",
      .options = {{.name = "GROUP",
                   .target = &flags->group,
                   .meaning = "Any group but those of ingest, whose progress is in the lake",
                   .value = "GROUP",
                   .required = true},
                  {.name = "--topic",
                   .target = &flags->topics,
                   .meaning = "Only this topic, or some of its partitions: clicks:0,2; repeatable. "
                              "Default: all partitions that the group has committed",
                   .value = "TOPIC[:P]"},
                  {.name = "--to-earliest",
                   .target = &flags->to_earliest,
                   .meaning = "To the oldest record that Kafka has"},
                  {.name = "--to-latest",
                   .target = &flags->to_latest,
                   .meaning = "To the end: only what comes from now on"},
                  {.name = "--to-time",
                   .target = Storing(ParseTimestamp, &flags->to_time),
                   .meaning = "To the first record sent at this time (ISO 8601, UTC) or later",
                   .value = "TIME"},
                  {.name = "--to-offset",
                   .target = &flags->to_offset,
                   .meaning = "To this offset, in each partition",
                   .value = "N",
                   .bounds = Bounds{0}},
                  {.name = "--from-file",
                   .target = &flags->from_file,
                   .meaning = "To the offsets in a file with lines topic,partition,offset",
                   .value = "FILE"},
                  {.name = "--execute",
                   .target = &flags->execute,
                   .meaning = "Change the offsets, and read them back"}},
      .run = Running(flags, ResetOffsets),
      .check = [flags] { return CheckResetFlags(*flags); }};
}

}  // namespace shopstream::cli
