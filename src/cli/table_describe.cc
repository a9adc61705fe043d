#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/table_printer.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/table_commands.h"
#include "ingest/table_facts.h"
#include "lake/delta/existing_table.h"
#include "lake/delta/table_at.h"
#include "lake/store/object_store.h"

namespace shopstream::cli {
namespace {

struct DescribeFlags {
  std::string name;
  std::optional<uint64_t> version;
  std::optional<int64_t> as_of_ms;
};

// The newest snapshot, or the one asked for.
Result<std::shared_ptr<const lake::Snapshot>> FindSnapshot(lake::ObjectStore* store,
                                                           const DescribeFlags& flags) {
  const auto open = [&]() -> Result<std::shared_ptr<const lake::Snapshot>> {
    ARROW_ASSIGN_OR_RAISE(const auto table, lake::OpenExisting(store, flags.name));
    return table->snapshot();
  };
  if (!flags.version && !flags.as_of_ms) return open();
  const Result<int64_t> version = flags.version
                                      ? Result<int64_t>(static_cast<int64_t>(*flags.version))
                                      : lake::VersionAt(store, flags.name, *flags.as_of_ms);
  const auto snapshot =
      version.ok() ? lake::SnapshotAt(store, flags.name, *version) : version.status();
  if (snapshot.status().IsKeyError()) ARROW_RETURN_NOT_OK(open());  // It explains a missing table.
  return snapshot;
}

Result<ingest::TableFacts> ReadFacts(const Context& context, const DescribeFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, FindSnapshot(store.get(), flags));
  return ingest::ReadTableFacts(store.get(), context.config, flags.name, *snapshot);
}

void Print(const ingest::TableFacts& facts) {
  TablePrinter printer({"column", "type", "nullable", "partition", "field", "note"});
  for (const ingest::ColumnFacts& column : facts.columns) {
    printer.AddRow({Printable(column.name), column.type, column.nullable, OrNull(column.partition),
                    column.field ? Cell(Printable(*column.field)) : Cell(nullptr),
                    Printable(column.note)});
  }
  printer.Print(std::cout, /*as_json=*/false);
  std::cout << "\n"
            << (facts.totals.without_rows == 0 ? Counted(facts.totals.rows, "row")
                                               : "an unknown number of rows")
            << " in " << Counted(facts.totals.files, "file") << ", "
            << FormatBytes(facts.totals.bytes) << "; version " << facts.version;
  if (facts.committed_ms) std::cout << " of " << FormatTimestamp(*facts.committed_ms);
  std::cout << "\n";
  if (facts.complete_through_ms) {
    std::cout << "complete through " << FormatTimestamp(*facts.complete_through_ms)
              << ": it has everything that Kafka held then\n";
  }
  if (facts.layout) {
    const std::string& path = facts.layout->event_time_path;
    const std::string& unit = facts.layout->event_time_unit;
    std::cout << "event time: " << (path.empty() ? "Kafka's timestamp" : Printable(path))
              << (unit.empty() ? "" : " in " + unit) << "\n";
  }
  if (facts.archive && facts.archive->released > 0) {
    std::cout << "archive: older rows are in " << Printable(facts.archive->place)
              << ", which `query` reads too\n";
  }
  if (!facts.warning.empty()) std::cout << Printable(facts.warning) << "\n";
}

Result<int> DescribeTable(const Context& context, const DescribeFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const ingest::TableFacts facts, ReadFacts(context, flags));
  if (context.json) {
    std::cout << ToJson(facts).dump(2) << "\n";
  } else {
    Print(facts);
  }
  return kDone;
}

}  // namespace

Command TableDescribeCommand() {
  const auto flags = std::make_shared<DescribeFlags>();
  return {"describe",
          "Show a table's columns, the fields they come from, its event time and size",
          {TableNameOption(&flags->name),
           {.name = "--version",
            .target = &flags->version,
            .meaning = "As of an earlier version, as far back as the log goes",
            .value = "N",
            .bounds = Bounds{0}},
           {.name = "--as-of",
            .target = Storing(ParseTimestamp, &flags->as_of_ms),
            .meaning = "As of the newest version at this time (ISO 8601, UTC)",
            .value = "TIME",
            .excludes = "--version"}},
          Running(flags, DescribeTable)};
}

}  // namespace shopstream::cli
