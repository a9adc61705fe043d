#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/json.h"
#include "base/report.h"
#include "base/table_printer.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/refine_commands.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "lake/store/put_proof.h"
#include "refine/status.h"

namespace shopstream::cli {
namespace {

struct StatusFlags {
  std::optional<int64_t> final_at_ms;
};

struct RefineAcceptFlags {
  std::string rule;
};

Cell TimeCell(std::optional<int64_t> unix_ms) {
  return unix_ms ? Cell(FormatTimestamp(*unix_ms)) : Cell(nullptr);
}

void PrintStatus(const refine::RefineStatus& status) {
  TablePrinter tables({"table", "version", "rows", "pass", "complete_through"});
  for (const refine::TableStanding& table : status.tables) {
    tables.AddRow({table.table, table.version, table.rows < 0 ? Cell(nullptr) : Cell(table.rows),
                   OrNull(table.pass), TimeCell(table.complete_through_ms)});
  }
  tables.Print(std::cout, false);
  std::cout << "\n";
  TablePrinter partitions({"topic_id", "partition", "refined", "bronze", "left"});
  for (const refine::PartitionLag& lag : status.partitions) {
    partitions.AddRow(
        {lag.topic_id, lag.partition, lag.refined, lag.bronze, lag.bronze - lag.refined});
  }
  partitions.Print(std::cout, false);
  if (!status.rules.empty()) {
    std::cout << fmt::format(
        "\nRules, rates and SQL with fingerprint {} are in force since pass {}.\n", status.rules,
        FormatCount(status.rules_since));
  }
  for (const refine::TableStanding& table : status.tables) {
    if (table.filled) continue;
    std::cout << table.table << " is no longer filled: it has no SQL file, or the next refine "
              << "builds it anew.\n";
  }
  if (status.task) {
    std::cout << fmt::format(
        "A task is open since {}: {} (pass {}). The next refine finishes it.\n",
        FormatTimestamp(status.task->at_ms), Name(status.task->kind),
        FormatCount(status.task->pass));
  } else if (!status.complete()) {
    std::cout << "The tables are at different passes: a refine works now, or was stopped. The next "
                 "one finishes the pass.\n";
  }
  if (!status.halt || !status.halt->halted()) return;
  std::cout << fmt::format(
      "Halted since {}: rule {} rejects {} of {} of pass {}. Correct the producer, or the rule and "
      "run `shopstream refine`, or accept the rejected rows: `shopstream refine accept {}`\n",
      FormatTimestamp(status.halt->at_ms), status.halt->rule, FormatCount(status.halt->found),
      Counted(status.halt->rows, "row"), FormatCount(status.halt->pass), status.halt->rule);
}

int AnswerFinal(const refine::RefineStatus& status, int64_t at_ms, bool as_json) {
  const bool is_final = status.complete_through_ms && *status.complete_through_ms >= at_ms;
  if (as_json) {
    const auto through = status.complete_through_ms
                             ? nlohmann::ordered_json(FormatTimestamp(*status.complete_through_ms))
                             : nlohmann::ordered_json();
    std::cout << DumpJson(
                     nlohmann::ordered_json{{"final", is_final}, {"complete_through", through}})
              << "\n";
  } else if (!status.complete_through_ms) {
    std::cout
        << "unknown: no time is recorded yet; run `shopstream ingest`, then `shopstream refine`\n";
  } else {
    std::cout << fmt::format("{}: complete through {}\n", is_final ? "yes" : "no",
                             FormatTimestamp(*status.complete_through_ms));
  }
  return is_final ? kDone : kDifferenceFound;
}

Result<int> ShowStatus(const Context& context, const StatusFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(
      const auto status,
      refine::ReadRefineStatus(store.get(), refine::RefinePaths::From(context.config)));
  if (flags.final_at_ms) return AnswerFinal(status, *flags.final_at_ms, context.json);
  context.json ? PrintReport(std::cout, refine::ToJson(status)) : PrintStatus(status);
  return status.halt && status.halt->halted() ? kDifferenceFound : kDone;
}

Result<int> AcceptRule(const Context& context, const RefineAcceptFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  const std::string& path = context.config.refine.rejects_table;
  ARROW_RETURN_NOT_OK(lake::ProvePutIfAbsent(store.get(), path));
  ARROW_ASSIGN_OR_RAISE(const auto rejects, lake::Table::Open(store.get(), path));
  ARROW_ASSIGN_OR_RAISE(const auto halt, refine::AcceptHalt(rejects.get(), flags.rule));
  if (context.json) {
    std::cout << DumpJson(nlohmann::ordered_json{{"pass", halt.pass}, {"accepted", halt.rule}})
              << "\n";
  } else {
    std::cout << fmt::format(
        "Pass {} puts the rows that rule {} rejects among the rejects. A running refine continues "
        "within seconds.\n",
        FormatCount(halt.pass), halt.rule);
  }
  return kDone;
}

}  // namespace

Command RefineStatusCommand() {
  auto flags = std::make_shared<StatusFlags>();
  return {.name = "status",
          .meaning =
              "Show how far the tables are refined, and why refining is halted; exits with 3 "
              "if it is",
          .options = {{.name = "--final-at",
                       .target = Storing(ParseTimestamp, &flags->final_at_ms),
                       .meaning = "Print only whether everything that Kafka received before this "
                                  "time is in all tables; exits with 3 if not",
                       .value = "TIME"}},
          .run = Running(flags, ShowStatus)};
}

Command RefineAcceptCommand() {
  auto flags = std::make_shared<RefineAcceptFlags>();
  return {.name = "accept",
          .meaning = "Accept what a rule rejects in the halted pass, and continue",
          .options = {{.name = "RULE",
                       .target = &flags->rule,
                       .meaning = "The rule that `refine status` names",
                       .required = true}},
          .run = Running(flags, AcceptRule)};
}

}  // namespace shopstream::cli
