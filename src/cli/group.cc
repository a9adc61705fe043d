#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include "base/table_printer.h"
#include "cli/command.h"
#include "kafka/admin.h"
#include "kafka/errors.h"
#include "kafka/group_members.h"
#include "lake/store/object_store.h"
#include "observe/lag.h"

namespace shopstream::cli {
namespace {

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

Result<int> Describe(const Context& context) {
  const KafkaConfig& kafka = context.config.kafka;
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto txns,
                        observe::ReadBronzeTxns(store.get(), context.config.lake.bronze_table));
  ARROW_ASSIGN_OR_RAISE(const auto admin, kafka::Admin::Open(kafka));
  ARROW_ASSIGN_OR_RAISE(const auto topic, admin->DescribeTopic(kafka.topic, false));
  if (!topic) return kafka::NoSuchTopic(kafka.topic, kafka.bootstrap_servers);
  ARROW_ASSIGN_OR_RAISE(const auto lags, observe::MeasureLag(kafka, admin.get(), *topic, txns));
  ARROW_ASSIGN_OR_RAISE(const auto owners, kafka::DescribeOwners(kafka));
  TablePrinter table({"partition", "lake_txn", "committed", "log_start", "end", "lag",
                      "lag_seconds", "member", "note"});
  for (const observe::PartitionLag& lag : lags) {
    std::optional<double> seconds;
    if (lag.lag_ms) seconds = static_cast<double>(*lag.lag_ms) / 1000;
    const auto owner = owners.find(lag.partition);
    const auto known = [&lag](int64_t value) { return lag.known() ? Cell(value) : Cell(nullptr); };
    table.AddRow({lag.partition, OrNull(lag.txn), OrNull(lag.committed), known(lag.log_start),
                  known(lag.end), known(lag.lag), OrNull(seconds),
                  owner == owners.end() ? Cell(nullptr) : Cell(owner->second), Note(lag)});
  }
  if (!context.json) {
    std::cout << "group " << kafka.group << ", topic " << kafka.topic
              << "; the lake's txn decides, the committed offset is for displays only\n";
  }
  table.Print(std::cout, context.json);
  const bool complete = std::ranges::all_of(lags, &observe::PartitionLag::known);
  return complete ? kDone : kDifferenceFound;
}

}  // namespace

Command GroupCommand() {
  Command describe{"describe", "Lag of each partition, in offsets and in seconds", {}, Describe};
  return {
      .name = "group", .meaning = "Show the progress of ingest", .commands = {std::move(describe)}};
}

}  // namespace shopstream::cli
