#include "ingest/stored_layout.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "avro/column_types.h"
#include "base/config.h"
#include "base/join.h"
#include "ingest/bronze_layout.h"
#include "tables/columns.h"
#include "tables/names.h"
#include "tables/table_layout.h"

namespace shopstream::ingest {
namespace {

std::string ShowFields(const std::vector<std::string>& fields) {
  return fields.empty() ? "date only" : Joined(fields, ",");
}

std::string ShowEventTime(const std::string& path, const std::string& unit) {
  if (path.empty()) return "Kafka's timestamp";
  return unit.empty() ? path : path + " in " + unit;
}

// Nothing: another program created the table.
Result<std::optional<std::vector<std::string>>> PartitionFieldsOf(const lake::Snapshot& table) {
  ARROW_ASSIGN_OR_RAISE(const auto layout, tables::ReadTableLayout(table));
  std::vector<std::string> fields;
  if (layout) {
    for (const auto& one : layout->partition) fields.push_back(one.path);
    return fields;
  }
  const std::vector<std::string>& columns = table.partition_columns();
  if (columns.empty() || columns.back() != tables::kDate) return std::nullopt;
  fields.assign(columns.begin(), columns.end() - 1);
  return fields;
}

// As ingest.wide_decimals names it.
const char* ShowWide(const arrow::DataType& type) {
  if (type.id() == arrow::Type::DOUBLE) return "double";
  return type.id() == arrow::Type::DECIMAL128 ? "decimal" : "text";
}

// The type of what a column holds: the items of a list, the values of a map.
std::shared_ptr<arrow::DataType> WithoutLists(std::shared_ptr<arrow::DataType> type) {
  while (true) {
    if (type->id() == arrow::Type::LIST) {
      type = type->field(0)->type();
    } else if (type->id() == arrow::Type::MAP) {
      type = static_cast<const arrow::MapType&>(*type).item_type();
    } else {
      return type;
    }
  }
}

// The type of a column by its path; null if the schema does not have it.
std::shared_ptr<arrow::DataType> TypeAt(const arrow::Schema& table, const std::string& path,
                                        const BronzeLayout& layout) {
  std::shared_ptr<arrow::DataType> type;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('.', begin), path.size());
    const std::string name = path.substr(begin, end - begin);
    std::shared_ptr<arrow::Field> field;
    if (type == nullptr) {
      const int index = layout.record->GetFieldIndex(name);
      if (index >= 0) field = table.GetFieldByName(layout.column_names[index]);
    } else if (type->id() == arrow::Type::STRUCT) {
      field = static_cast<const arrow::StructType&>(*type).GetFieldByName(name);
    }
    if (field == nullptr) return nullptr;
    type = WithoutLists(field->type());
    begin = end + 1;
  }
  return type;
}

}  // namespace

std::string LayoutText(const BronzeLayout& layout) {
  tables::TableLayout stored{.partition = {},
                             .event_time_path = layout.event_time.path,
                             .event_time_unit = layout.options.event_time_unit};
  for (const PartitionField& field : layout.partition) {
    stored.partition.push_back({field.path, field.column});
  }
  return Format(stored);
}

Status CheckPartitionFields(const lake::Snapshot& table, const LayoutOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto fields, PartitionFieldsOf(table));
  if (!fields || *fields == options.partition_field) return Status::OK();
  const bool is_default = options.partition_field == IngestConfig().partition_field;
  return Status::Invalid("table ", options.table, " is partitioned by ", ShowFields(*fields),
                         ", but ingest.partition_field is ", ShowFields(options.partition_field),
                         is_default ? " (the default)" : "", ": set it to ",
                         fields->empty() ? "the empty list" : Joined(*fields, ","),
                         ", or lake.bronze_table to a new table");
}

Status CheckWideDecimals(const lake::Snapshot& table, const BronzeLayout& layout) {
  ARROW_ASSIGN_OR_RAISE(const auto paths, avro::WideDecimalPaths(layout.reader_schema));
  for (const std::string& path : paths) {
    const auto stored = TypeAt(*table.schema(), path, layout);
    const auto wanted = TypeAt(*layout.table.schema, path, layout);
    if (stored == nullptr || wanted == nullptr || stored->Equals(*wanted)) continue;
    return Status::Invalid("table ", layout.options.table, " has ", path, " as ", ShowWide(*stored),
                           ", but ingest.wide_decimals sets it to ", ShowWide(*wanted),
                           ": change it back, or set lake.bronze_table to a new table");
  }
  return Status::OK();
}

Result<std::map<std::string, std::string>> FieldsOfColumns(const lake::Snapshot& table) {
  std::map<std::string, std::string> fields;
  const std::string* schema_text = lake::FindProperty(table, tables::kReaderSchemaProperty);
  if (schema_text == nullptr) return fields;
  ARROW_ASSIGN_OR_RAISE(const auto schema, avro::Schema::ParseKept(*schema_text));
  ARROW_ASSIGN_OR_RAISE(const auto record, avro::ToArrowSchema(schema));
  ARROW_ASSIGN_OR_RAISE(const auto paths, PartitionFieldsOf(table));
  std::vector<PartitionField> partition;
  for (const std::string& path : paths.value_or(std::vector<std::string>())) {
    partition.emplace_back().path = path;
  }
  const std::vector<std::string> names = ColumnNames(*record, &partition);
  for (size_t i = 0; i < names.size(); ++i) {
    fields[names[i]] = record->field(static_cast<int>(i))->name();
  }
  for (const PartitionField& field : partition) fields[field.column] = field.path;
  return fields;
}

std::string WarnOfEventTime(const lake::Snapshot& table, const LayoutOptions& options) {
  const auto layout = tables::ReadTableLayout(table);
  if (!layout.ok() || !*layout) return "";
  const std::string stored = ShowEventTime((*layout)->event_time_path, (*layout)->event_time_unit);
  const std::string set = ShowEventTime(options.event_time_field, options.event_time_unit);
  if (stored == set) return "";
  return "Table " + options.table + " was created with " + stored +
         " as the event time; new rows get their date from " + set + ".";
}

}  // namespace shopstream::ingest
