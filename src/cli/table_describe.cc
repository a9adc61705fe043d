#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/table_printer.h"
#include "base/timestamp.h"
#include "cli/command.h"
#include "cli/table_commands.h"
#include "ingest/layout_options.h"
#include "ingest/stored_layout.h"
#include "lake/delta/existing_table.h"
#include "lake/delta/table_at.h"
#include "lake/store/object_store.h"
#include "lake/upkeep/reports.h"
#include "tables/partition_state.h"
#include "tables/refine_state.h"
#include "tables/table_layout.h"

namespace shopstream::cli {
namespace {

using nlohmann::ordered_json;

struct DescribeFlags {
  std::string name;
  std::optional<uint64_t> version;
  std::optional<int64_t> as_of_ms;
};

struct Described {
  std::string name, type;
  bool nullable = true;
  std::optional<int64_t> partition;  // Its position, from 1.
  std::optional<std::string> field;  // The path of the record's field; nothing for our own columns.
  std::string note;
};

struct TableFacts {
  std::string name;
  int64_t version = 0;
  lake::FileTotals totals;
  std::optional<int64_t> committed_ms;  // Nothing: its entry is no longer in the log.
  // What Kafka held at this time is in the table; nothing: unknown, or of another table.
  std::optional<int64_t> complete_through_ms;
  std::vector<Described> columns;
  std::optional<tables::TableLayout> layout;
  std::string warning;
};

std::string NoteOf(const Described& column) {
  if (!column.field || *column.field == column.name) return "";
  if (column.field->find('.') != std::string::npos) return "copy of a nested field";
  return "renamed: the table has another column " + *column.field;
}

std::vector<Described> DescribeColumns(const lake::Snapshot& snapshot,
                                       const std::map<std::string, std::string>& fields) {
  const std::vector<std::string>& partitions = snapshot.partition_columns();
  std::vector<Described> columns;
  for (const auto& field : snapshot.schema()->fields()) {
    Described column{field->name(), field->type()->ToString(), field->nullable(), {}, {}, ""};
    const auto found = std::ranges::find(partitions, field->name());
    if (found != partitions.end()) column.partition = found - partitions.begin() + 1;
    const auto source = fields.find(field->name());
    if (source != fields.end()) column.field = source->second;
    column.note = NoteOf(column);
    columns.push_back(std::move(column));
  }
  return columns;
}

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

Result<TableFacts> ReadFacts(const Context& context, const DescribeFlags& flags) {
  const std::string& name = flags.name;
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(context.config));
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, FindSnapshot(store.get(), flags));
  TableFacts facts;
  facts.name = name;
  facts.version = snapshot->version();
  facts.totals = lake::Total(snapshot->Files());
  ARROW_ASSIGN_OR_RAISE(facts.committed_ms,
                        lake::CommitTime(store.get(), name, snapshot->version()));
  ARROW_ASSIGN_OR_RAISE(const auto standing, tables::ReadRefineStanding(*snapshot));
  facts.complete_through_ms =
      standing.pass ? standing.complete_through_ms : tables::ReadCompleteThrough(snapshot->Txns());
  ARROW_ASSIGN_OR_RAISE(const auto fields, ingest::FieldsOfColumns(*snapshot));
  facts.columns = DescribeColumns(*snapshot, fields);
  ARROW_ASSIGN_OR_RAISE(facts.layout, tables::ReadTableLayout(*snapshot));
  if (name == context.config.lake.bronze_table) {
    facts.warning = ingest::WarnOfEventTime(*snapshot, ingest::LayoutOptions::From(context.config));
  }
  return facts;
}

ordered_json TimeJson(std::optional<int64_t> unix_ms) {
  return unix_ms ? ordered_json(FormatTimestamp(*unix_ms)) : ordered_json();
}

ordered_json ToJson(const TableFacts& facts) {
  const auto or_null = [](const auto& value) {
    return value ? ordered_json(*value) : ordered_json();
  };
  ordered_json columns = ordered_json::array(), partition = ordered_json::array();
  for (const Described& column : facts.columns) {
    columns.push_back({{"column", column.name},
                       {"type", column.type},
                       {"nullable", column.nullable},
                       {"partition", or_null(column.partition)},
                       {"field", or_null(column.field)},
                       {"note", column.note}});
  }
  std::map<int64_t, const Described*> by_position;
  for (const Described& column : facts.columns) {
    if (column.partition) by_position[*column.partition] = &column;
  }
  for (const auto& [position, column] : by_position) {
    partition.push_back({{"column", column->name}, {"field", or_null(column->field)}});
  }
  ordered_json event_time;
  if (facts.layout) {
    event_time = {{"field", facts.layout->event_time_path},
                  {"unit", facts.layout->event_time_unit}};
  }
  return {
      {"table", facts.name},
      {"columns", std::move(columns)},
      {"partition", std::move(partition)},
      {"event_time", std::move(event_time)},
      {"files", facts.totals.files},
      {"rows", facts.totals.without_rows == 0 ? ordered_json(facts.totals.rows) : ordered_json()},
      {"bytes", facts.totals.bytes},
      {"version", facts.version},
      {"last_commit", TimeJson(facts.committed_ms)},
      {"complete_through", TimeJson(facts.complete_through_ms)},
      {"warning", facts.warning.empty() ? ordered_json() : ordered_json(facts.warning)}};
}

void Print(const TableFacts& facts) {
  TablePrinter printer({"column", "type", "nullable", "partition", "field", "note"});
  for (const Described& column : facts.columns) {
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
  if (!facts.warning.empty()) std::cout << Printable(facts.warning) << "\n";
}

Result<int> DescribeTable(const Context& context, const DescribeFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const TableFacts facts, ReadFacts(context, flags));
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
