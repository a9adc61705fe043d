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
#include "base/joined_ids.h"
#include "base/log.h"
#include "base/read_file.h"
#include "base/table_printer.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/group_commands.h"
#include "groups/reset.h"
#include "groups/standing.h"
#include "kafka/group_admin.h"
#include "kafka/offset_reset.h"
#include "records/read_start.h"

namespace shopstream::cli {
namespace {

using groups::ChosenPartitions;
using kafka::OffsetReset;
using kafka::ResetTarget;

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
    ARROW_ASSIGN_OR_RAISE(partitions, records::ParsePartitions(text.substr(colon + 1)));
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

void WarnOf(const groups::ResetPlan& plan, const std::string& group,
            kafka::GroupAdmin* group_admin) {
  if (plan.creates_group) {
    Log::Warn("group {} does not exist yet; --execute creates it{}", group,
              groups::NearGroup(group, group_admin));
  }
  for (const auto& [topic, partitions] : plan.left_out) {
    Log::Warn(
        "topic {}: partitions {} are not included, as the group has committed nothing there; "
        "--topic {} includes them",
        topic, JoinedIds(partitions), topic);
  }
}

Result<int> ResetOffsets(const Context& context, const ResetFlags& flags) {
  const KafkaConfig& kafka = context.config.kafka;
  groups::ResetRequest request;
  request.group = flags.group;
  ARROW_ASSIGN_OR_RAISE(request.chosen, Chosen(flags));
  ARROW_ASSIGN_OR_RAISE(request.target, TargetOf(flags));
  ARROW_ASSIGN_OR_RAISE(const auto group_admin, kafka::GroupAdmin::Open(kafka));
  ARROW_ASSIGN_OR_RAISE(auto plan, groups::PlanGroupReset(kafka, request, group_admin.get()));
  WarnOf(plan, flags.group, group_admin.get());
  const bool possible = plan.possible();
  if (!possible || !flags.execute) {
    PrintResets(plan.resets, context.json);
    Log::Tell(LogLevel::kInfo,
              possible ? "Dry run: nothing was changed. Add --execute to change it."
                       : "Nothing was changed: some partitions cannot be reset this way.");
    return possible ? kDone : kDifferenceFound;
  }
  const bool done = groups::ExecuteReset(flags.group, &plan, group_admin.get());
  PrintResets(plan.resets, context.json);
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
