#include "ingest/table_facts.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/format.h"
#include "base/json.h"
#include "base/json_or_null.h"
#include "ingest/layout_options.h"
#include "ingest/stored_layout.h"
#include "lake/delta/table_at.h"
#include "tables/partition_state.h"
#include "tables/refine_state.h"

namespace shopstream::ingest {
namespace {

using nlohmann::ordered_json;

std::string NoteOf(const ColumnFacts& column) {
  if (!column.field || *column.field == column.name) return "";
  if (column.field->find('.') != std::string::npos) return "copy of a nested field";
  return "renamed: the table has another column " + *column.field;
}

std::vector<ColumnFacts> DescribeColumns(const lake::Snapshot& snapshot,
                                         const std::map<std::string, std::string>& fields) {
  const std::vector<std::string>& partitions = snapshot.partition_columns();
  std::vector<ColumnFacts> columns;
  for (const auto& field : snapshot.schema()->fields()) {
    ColumnFacts column{field->name(), field->type()->ToString(), field->nullable(), {}, {}, ""};
    const auto found = std::ranges::find(partitions, field->name());
    if (found != partitions.end()) column.partition = found - partitions.begin() + 1;
    const auto source = fields.find(field->name());
    if (source != fields.end()) column.field = source->second;
    column.note = NoteOf(column);
    columns.push_back(std::move(column));
  }
  return columns;
}

ordered_json TimeJson(std::optional<int64_t> unix_ms) {
  return unix_ms ? ordered_json(FormatTimestamp(*unix_ms)) : ordered_json();
}

}  // namespace

Result<TableFacts> ReadTableFacts(lake::ObjectStore* store, const Config& config,
                                  const std::string& table, const lake::Snapshot& snapshot) {
  TableFacts facts;
  facts.name = table;
  facts.version = snapshot.version();
  snapshot.VisitFiles([&](const DataFile& file) { lake::Count(file, &facts.totals); });
  ARROW_ASSIGN_OR_RAISE(facts.committed_ms, lake::CommitTime(store, table, snapshot.version()));
  ARROW_ASSIGN_OR_RAISE(const auto standing, tables::ReadRefineStanding(snapshot));
  facts.complete_through_ms =
      standing.pass ? standing.complete_through_ms : tables::ReadCompleteThrough(snapshot.Txns());
  ARROW_ASSIGN_OR_RAISE(const auto fields, FieldsOfColumns(snapshot));
  facts.columns = DescribeColumns(snapshot, fields);
  ARROW_ASSIGN_OR_RAISE(facts.layout, tables::ReadTableLayout(snapshot));
  ARROW_ASSIGN_OR_RAISE(facts.archive, tables::ReadArchiveLink(snapshot));
  if (table == config.lake.bronze_table) {
    facts.warning = WarnOfEventTime(snapshot, LayoutOptions::From(config));
  }
  return facts;
}

ordered_json ToJson(const TableFacts& facts) {
  ordered_json columns = ordered_json::array(), partition = ordered_json::array();
  for (const ColumnFacts& column : facts.columns) {
    columns.push_back({{"column", column.name},
                       {"type", column.type},
                       {"nullable", column.nullable},
                       {"partition", OrNull(column.partition)},
                       {"field", OrNull(column.field)},
                       {"note", column.note}});
  }
  ordered_json archive;
  if (facts.archive && facts.archive->released > 0) {
    archive = {{"place", facts.archive->place}, {"run", facts.archive->released}};
  }
  std::map<int64_t, const ColumnFacts*> by_position;
  for (const ColumnFacts& column : facts.columns) {
    if (column.partition) by_position[*column.partition] = &column;
  }
  for (const auto& [position, column] : by_position) {
    partition.push_back({{"column", column->name}, {"field", OrNull(column->field)}});
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
      {"archive", std::move(archive)},
      {"files", facts.totals.files},
      {"rows", facts.totals.without_rows == 0 ? ordered_json(facts.totals.rows) : ordered_json()},
      {"bytes", facts.totals.bytes},
      {"version", facts.version},
      {"last_commit", TimeJson(facts.committed_ms)},
      {"complete_through", TimeJson(facts.complete_through_ms)},
      {"warning", facts.warning.empty() ? ordered_json() : ordered_json(facts.warning)}};
}

}  // namespace shopstream::ingest
