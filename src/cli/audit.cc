#include "observe/audit.h"

#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "base/json.h"
#include "base/log.h"
#include "base/report.h"
#include "base/table_printer.h"
#include "cli/command.h"
#include "kafka/admin.h"
#include "lake/store/object_store.h"

namespace shopstream::cli {
namespace {

struct AuditFlags {
  size_t limit = 100;
};

TablePrinter PartitionTable(const observe::AuditReport& report) {
  TablePrinter table({"topic_id", "partition", "log_start", "txn", "end", "bronze_rows",
                      "quarantined_rows", "replayed_rows", "erased_rows", "gaps", "doubles",
                      "others", "lag"});
  for (const observe::PartitionAudit& p : report.partitions) {
    const Cell lag = p.end ? Cell(p.lag) : Cell(nullptr);
    table.AddRow({p.topic_id, p.partition, OrNull(p.log_start), OrNull(p.txn), OrNull(p.end),
                  p.bronze_rows, p.quarantined_rows, p.replayed_rows, p.erased_rows, p.gaps,
                  p.doubles, p.others, lag});
  }
  return table;
}

// Offsets as people write them: both ends are inclusive.
TablePrinter FindingTable(const observe::AuditReport& report) {
  TablePrinter table(
      {"topic_id", "partition", "first_offset", "last_offset", "difference", "meaning"});
  for (const observe::AuditFinding& found : report.findings) {
    const OffsetRange& range = found.finding.range;
    table.AddRow({found.topic_id, range.partition, range.begin, range.end - 1,
                  observe::Name(found.finding.difference),
                  observe::Meaning(found.finding.difference)});
  }
  return table;
}

void PrintForPerson(const observe::AuditReport& report) {
  PartitionTable(report).Print(std::cout, false);
  std::cout << '\n';
  if (report.topic_id.empty()) {
    std::cout << "Kafka has no topic " << report.topic << ": only the lake was checked.\n";
  }
  if (!report.findings.empty()) FindingTable(report).Print(std::cout, false);
  if (report.findings_left_out > 0) {
    std::cout << "... and " << Counted(report.findings_left_out, "more range")
              << "; show more with --limit\n";
  }
  if (report.rows_without_coordinates > 0) {
    std::cout << Counted(report.rows_without_coordinates, "row")
              << " without a Kafka topic id, partition or offset: ingest did not write them\n";
  }
  for (const observe::PartitionAudit& p : report.partitions) {
    if (!p.adoption) continue;
    std::cout << fmt::format(
        "Partition {}: offsets below {} are in the lake from topic id {}, below offset {} there.\n",
        p.partition, p.adoption->below, p.adoption->earlier_topic_id, p.adoption->earlier_end);
    std::cout << fmt::format(
        "  {} there in Kafka; {} compared with the lake, only by the time when they were sent.\n",
        Counted(p.covered.records, "record"), FormatCount(p.covered.compared));
    if (p.covered.erased) {
      std::cout << fmt::format(
          "  {} of them without a row sent at this time: as many rows were erased.\n",
          FormatCount(p.covered.missing));
    }
  }
  for (const auto& [partition, why] : report.not_compared) {
    std::cout << "Partition " << partition << " was not compared with Kafka: " << why << '\n';
  }
  if (report.clean()) {
    std::cout << "Clean: " << Counted(report.kafka_records, "record")
              << " in Kafka below the lake's progress, each in the lake exactly once; the "
              << "contents of " << FormatCount(report.contents_compared) << " agree.\n";
  }
}

Result<int> RunAudit(const Context& context, const AuditFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto admin, kafka::Admin::Open(context.config.kafka));
  observe::AuditOptions options;
  options.max_findings = flags.limit;
  options.progress = [](const std::string& text) { Log::Info("audit: {}", text); };
  ARROW_ASSIGN_OR_RAISE(
      const observe::AuditReport report,
      observe::Audit(context.config.kafka, context.config.lake, admin.get(), store.get(), options));
  context.json ? PrintReport(std::cout, observe::ToJson(report)) : PrintForPerson(report);
  return report.clean() ? kDone : kDifferenceFound;
}

}  // namespace

Command AuditCommand() {
  auto flags = std::make_shared<AuditFlags>();
  return {.name = "audit",
          .meaning = "Compare Kafka and the lake, offset by offset; exits with 3 if they differ",
          .options = {{.name = "--limit",
                       .target = &flags->limit,
                       .meaning = "Maximum number of ranges to list; all are counted",
                       .show_default = true,
                       .bounds = Bounds{1, 1'000'000}}},
          .run = Running(flags, RunAudit)};
}

}  // namespace shopstream::cli
