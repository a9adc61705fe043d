#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include "base/format.h"
#include "base/joined_ids.h"
#include "base/log.h"
#include "base/table_printer.h"
#include "cli/command.h"
#include "cli/group_commands.h"
#include "groups/standing.h"
#include "kafka/admin.h"
#include "kafka/errors.h"
#include "kafka/group_admin.h"
#include "kafka/group_members.h"
#include "lake/store/object_store.h"
#include "observe/group_lag.h"
#include "observe/lag.h"

namespace shopstream::cli {
namespace {

struct GroupFlags {
  std::string group;  // Empty: kafka.group.
  bool members = false;
};

Result<int> ListGroups(const Context& context) {
  ARROW_ASSIGN_OR_RAISE(const auto groups, kafka::GroupAdmin::Open(context.config.kafka));
  ARROW_ASSIGN_OR_RAISE(const kafka::GroupList list, groups->List());
  if (list.groups.empty()) {
    // Kafka silently omits groups that the user may not see.
    Log::Warn("{} sees no group: there is none, or it has no DESCRIBE on any",
              kafka::Principal(context.config.kafka));
  }
  TablePrinter table({"group", "protocol", "state", "members", "coordinator", "note"});
  bool complete = list.failures.empty();
  for (const auto& [name, group] : list.groups) {
    if (group.ok()) {
      const Cell coordinator = group->coordinator < 0 ? Cell(nullptr) : Cell(group->coordinator);
      table.AddRow({name, group->protocol, group->state, group->members.size(), coordinator, ""});
    } else {
      complete = false;
      table.AddRow({name, nullptr, nullptr, nullptr, nullptr, group.status().message()});
    }
  }
  table.Print(std::cout, context.json);
  for (const Status& failure : list.failures) {
    Log::Warn("The groups of a broker are missing: {}", failure.message());
  }
  return complete ? kDone : kDifferenceFound;
}

// ---- describe

void PrintHeader(const kafka::GroupDescription& group, const std::string& more) {
  const auto idle = std::ranges::count_if(
      group.members, [](const kafka::GroupMember& member) { return member.partitions.empty(); });
  std::cout << "group " << group.name << ": ";
  if (group.exists) {
    std::cout << group.state << ", protocol " << group.protocol;
    if (!group.assignor.empty()) std::cout << ", assignor " << group.assignor;
    if (group.coordinator >= 0) std::cout << ", coordinator " << group.coordinator;
    std::cout << ", " << Counted(static_cast<int64_t>(group.members.size()), "member");
    if (idle > 0) std::cout << ", " << idle << " of them without a partition";
  } else {
    std::cout << "does not exist";
  }
  std::cout << "\n" << more << "\n";
}

std::optional<double> Seconds(const std::optional<int64_t>& millis) {
  return millis ? std::optional(static_cast<double>(*millis) / 1000) : std::nullopt;
}

std::string Note(const observe::PartitionLag& lag) {
  if (!lag.known()) return lag.unknown;
  if (lag.stopped()) {
    return std::string("not read: ") + tables::Meaning(lag.stop.reason) +
           "; see `shopstream progress show`";
  }
  if (lag.beyond_kafka()) return "the lake is ahead of Kafka: Kafka lost records";
  if (lag.lost()) return "records expired before ingest";
  return "";
}

// The group of ingest: the lake's progress decides.
Result<int> DescribeIngest(const Context& context) {
  const KafkaConfig& kafka = context.config.kafka;
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto txns,
                        observe::ReadBronzeTxns(store.get(), context.config.lake.bronze_table));
  ARROW_ASSIGN_OR_RAISE(const auto admin, kafka::Admin::Open(kafka));
  ARROW_ASSIGN_OR_RAISE(const auto topic, admin->DescribeTopic(kafka.topic, false));
  if (!topic) return kafka::NoSuchTopic(kafka.topic, kafka.bootstrap_servers);
  ARROW_ASSIGN_OR_RAISE(const auto lags, observe::MeasureLag(kafka, admin.get(), *topic, txns));
  ARROW_ASSIGN_OR_RAISE(const auto group, kafka::DescribeGroup(kafka));
  const kafka::PartitionOwners owners = kafka::OwnersOf(group, kafka.topic);
  TablePrinter table({"partition", "lake_txn", "committed", "log_start", "end", "lag",
                      "lag_seconds", "member", "note"});
  for (const observe::PartitionLag& lag : lags) {
    const auto owner = owners.find(lag.partition);
    const auto known = [&lag](int64_t value) { return lag.known() ? Cell(value) : Cell(nullptr); };
    table.AddRow({lag.partition, OrNull(lag.txn), OrNull(lag.committed), known(lag.log_start),
                  known(lag.end), known(lag.lag), OrNull(Seconds(lag.lag_ms)),
                  owner == owners.end() ? Cell(nullptr) : Cell(owner->second), Note(lag)});
  }
  if (!context.json) {
    PrintHeader(group, "topic " + kafka.topic +
                           "; the lake's txn decides, the committed offset is for displays only");
  }
  table.Print(std::cout, context.json);
  const bool complete = std::ranges::all_of(lags, &observe::PartitionLag::known);
  return complete ? kDone : kDifferenceFound;
}

std::string Note(const observe::GroupPartitionLag& lag, const kafka::GroupDescription& group) {
  if (!lag.known()) return lag.unknown;
  if (lag.beyond_kafka()) return "the committed offset is beyond Kafka's end: records were lost";
  if (lag.expired()) return "records expired before they were read";
  if (lag.member.empty() && !group.members.empty()) return "no member reads it";
  return lag.committed ? "" : "no offset is committed";
}

// Any other group: the offsets in Kafka decide.
Result<int> DescribeOther(const Context& context, const KafkaConfig& kafka,
                          kafka::GroupAdmin* group_admin) {
  ARROW_ASSIGN_OR_RAISE(const groups::GroupStanding standing,
                        groups::ReadGroup(kafka, group_admin));
  if (!standing.known()) return groups::NoSuchGroup(kafka, group_admin);
  ARROW_ASSIGN_OR_RAISE(const auto admin, kafka::Admin::Open(kafka));
  const auto lags = observe::MeasureGroup(kafka, admin.get(), standing.group, standing.committed);
  TablePrinter table({"topic", "partition", "committed", "log_start", "end", "lag", "lag_seconds",
                      "member", "note"});
  for (const observe::GroupPartitionLag& lag : lags) {
    table.AddRow({lag.at.topic, lag.at.partition, OrNull(lag.committed),
                  lag.span ? Cell(lag.span->log_start) : Cell(nullptr),
                  lag.span ? Cell(lag.span->end) : Cell(nullptr), OrNull(lag.lag),
                  OrNull(Seconds(lag.lag_ms)),
                  lag.member.empty() ? Cell(nullptr) : Cell(lag.member),
                  Note(lag, standing.group)});
  }
  if (!context.json) {
    std::string more;
    if (standing.is_read_for_a_lake()) {
      more =
          "it is read for a lake, whose table decides; the committed offset is for displays only";
    } else if (lags.empty()) {
      more = "it has committed no offset, and no member reads a partition";
    }
    PrintHeader(standing.group, more);
  }
  if (context.json || !lags.empty()) table.Print(std::cout, context.json);
  const bool complete = std::ranges::all_of(lags, &observe::GroupPartitionLag::known);
  return complete ? kDone : kDifferenceFound;
}

std::string PartitionsOf(const kafka::GroupMember& member) {
  std::string text;
  for (const auto& [topic, partitions] : member.partitions) {
    text += (text.empty() ? "" : " ") + topic + ":" + JoinedIds(partitions);
  }
  return text;
}

Result<int> DescribeMembers(const Context& context, const KafkaConfig& kafka,
                            kafka::GroupAdmin* group_admin) {
  ARROW_ASSIGN_OR_RAISE(const groups::GroupStanding standing,
                        groups::ReadGroup(kafka, group_admin));
  // Before its first run, the group of ingest does not exist.
  const bool is_ingest = kafka.group == context.config.kafka.group;
  if (!standing.known() && !is_ingest) return groups::NoSuchGroup(kafka, group_admin);
  const kafka::GroupDescription& group = standing.group;
  TablePrinter table({"member", "client_id", "partitions"});
  for (const kafka::GroupMember& member : group.members) {
    table.AddRow({member.name, member.client_id, PartitionsOf(member)});
  }
  if (!context.json) PrintHeader(group, "");
  if (context.json || !group.members.empty()) table.Print(std::cout, context.json);
  return kDone;
}

Result<int> Describe(const Context& context, const GroupFlags& flags) {
  KafkaConfig kafka = context.config.kafka;
  if (!flags.group.empty()) kafka.group = flags.group;
  const bool is_ingest = kafka.group == context.config.kafka.group;
  if (is_ingest && !flags.members) return DescribeIngest(context);
  ARROW_ASSIGN_OR_RAISE(const auto groups, kafka::GroupAdmin::Open(kafka));
  if (flags.members) return DescribeMembers(context, kafka, groups.get());
  return DescribeOther(context, kafka, groups.get());
}

}  // namespace

Command GroupCommand() {
  auto flags = std::make_shared<GroupFlags>();
  Command list{
      "list", "List the consumer groups with their protocol, state and members", {}, ListGroups};
  Command describe{"describe",
                   "Lag of each partition, in offsets and in seconds",
                   {{.name = "GROUP",
                     .target = &flags->group,
                     .meaning = "Default: kafka.group, whose progress is in the lake",
                     .value = "GROUP"},
                    {.name = "--members",
                     .target = &flags->members,
                     .meaning = "The members and what each reads, instead of the partitions"}},
                   Running(flags, Describe)};
  return {.name = "group",
          .meaning = "Show and reset the progress of consumer groups",
          .commands = {std::move(list), std::move(describe), GroupResetCommand()}};
}

}  // namespace shopstream::cli
