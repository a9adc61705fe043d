#include "ingest/bronze_layout.h"

#include <algorithm>
#include <utility>

#include "avro/decoder.h"
#include "avro/merge.h"
#include "base/join.h"
#include "base/nearest_name.h"
#include "ingest/stored_layout.h"
#include "lake/delta/column_merge.h"
#include "tables/columns.h"
#include "tables/names.h"

namespace shopstream::ingest {
namespace {

// Makes everything nullable, including members of nested types: a later schema may drop any field,
// and a column once declared non-nullable in a table stays so.
std::shared_ptr<arrow::DataType> NullableType(const std::shared_ptr<arrow::DataType>& type);

std::shared_ptr<arrow::Field> NullableField(const std::shared_ptr<arrow::Field>& field) {
  return field->WithType(NullableType(field->type()))->WithNullable(true);
}

std::shared_ptr<arrow::DataType> NullableType(const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case arrow::Type::STRUCT: {
      arrow::FieldVector members;
      for (const auto& member : type->fields()) members.push_back(NullableField(member));
      return arrow::struct_(std::move(members));
    }
    case arrow::Type::LIST:
      return arrow::list(NullableField(type->field(0)));
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      return std::make_shared<arrow::MapType>(map.key_field(), NullableField(map.item_field()));
    }
    default:
      return type;
  }
}

// The columns of a data file: those of the record that are not partition columns, then ours.
arrow::FieldVector FileColumns(const BronzeLayout& layout) {
  arrow::FieldVector columns;
  for (int i = 0; i < layout.record->num_fields(); ++i) {
    if (layout.IsPartitionColumn(i)) continue;
    columns.push_back(NullableField(layout.record->field(i))->WithName(layout.column_names[i]));
  }
  for (const auto& field : tables::BronzeFields()) columns.push_back(field);
  return columns;
}

// ingest.wide_decimals, whose form is checked: PATH=text, or * for the path.
avro::ColumnOptions WideDecimalOptions(const std::vector<std::string>& settings) {
  avro::ColumnOptions options;
  for (const std::string& setting : settings) {
    const size_t equals = setting.find('=');
    const std::string path = setting.substr(0, equals);
    const std::string kind = setting.substr(equals + 1);
    const auto wide = kind == "double"    ? avro::WideDecimal::kDouble
                      : kind == "decimal" ? avro::WideDecimal::kDecimal
                                          : avro::WideDecimal::kText;
    (path == "*" ? options.other : options.wide[path]) = wide;
  }
  return options;
}

}  // namespace

LayoutOptions LayoutOptions::From(const Config& config) {
  return {.table = config.lake.bronze_table,
          .quarantine_table = config.lake.quarantine_table,
          .partition_field = config.ingest.partition_field,
          .partition_values = config.ingest.partition_values,
          .max_partition_values = config.ingest.max_partition_values,
          .event_time_field = config.ingest.event_time_field,
          .event_time_unit = config.ingest.event_time_unit,
          .event_time_earliest = config.ingest.event_time_earliest,
          .event_time_ahead_hours = config.ingest.event_time_ahead_hours,
          .side_tables = config.ingest.record_types == "each",
          .columns = WideDecimalOptions(config.ingest.wide_decimals),
          .naming = registry::SubjectNaming::From(config.registry)};
}

Result<BronzeLayout> BronzeLayout::Make(const avro::Schema& reader_schema,
                                        const LayoutOptions& options) {
  BronzeLayout layout;
  layout.reader_schema = reader_schema;
  layout.options = options;
  ARROW_ASSIGN_OR_RAISE(layout.record, avro::ToArrowSchema(reader_schema, options.columns));
  if (layout.record->num_fields() > kMaxColumns) {
    return Status::Invalid("the record has ", layout.record->num_fields(), " fields; at most ",
                           kMaxColumns, " become columns");
  }
  const auto paths = avro::ColumnPaths(reader_schema, *layout.record);
  ARROW_ASSIGN_OR_RAISE(layout.event_time, ResolveEventTime(paths, options));
  ARROW_ASSIGN_OR_RAISE(layout.partition, ResolvePartition(paths, options));
  layout.column_names = ColumnNames(*layout.record, &layout.partition);
  arrow::FieldVector columns = FileColumns(layout);
  layout.file = arrow::schema(columns);
  layout.table.path = options.table;
  for (const PartitionField& field : layout.partition) {
    columns.push_back(arrow::field(field.column, field.type));
    layout.table.partition_columns.push_back(field.column);
  }
  columns.push_back(arrow::field(tables::kDate, arrow::date32()));
  layout.table.partition_columns.emplace_back(tables::kDate);
  layout.table.schema = arrow::schema(columns);
  layout.table.properties = {{tables::kReaderSchemaProperty, reader_schema.text()},
                             {tables::kLayoutProperty, LayoutText(layout)}};
  return layout;
}

bool BronzeLayout::IsPartitionColumn(int column) const {
  const std::string& name = record->field(column)->name();
  return std::ranges::any_of(partition, [&](const PartitionField& field) {
    return !field.nested() && field.path == name;
  });
}

Status CheckWidePaths(const BronzeLayout& layout) {
  if (layout.options.columns.wide.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto wide, avro::WideDecimalPaths(layout.reader_schema));
  ARROW_ASSIGN_OR_RAISE(const auto all, avro::TypePaths(layout.reader_schema));
  for (const auto& [path, kind] : layout.options.columns.wide) {
    if (std::ranges::find(wide, path) != wide.end()) continue;
    if (std::ranges::find(all, path) == all.end()) continue;
    return Status::Invalid(
        "ingest.wide_decimals names \"", path, "\", which is not a decimal of more than 38 digits",
        wide.empty() ? "; the schema has none" : "; the schema has these: ", Joined(wide, ", "));
  }
  return Status::OK();
}

std::string WarnOfWidePaths(const BronzeLayout& layout) {
  if (layout.options.columns.wide.empty()) return "";
  const auto all = avro::TypePaths(layout.reader_schema);
  const auto wide = avro::WideDecimalPaths(layout.reader_schema);
  if (!all.ok() || !wide.ok()) return "";  // BronzeLayout::Make has refused such a schema.
  for (const auto& [path, kind] : layout.options.columns.wide) {
    if (std::ranges::find(*all, path) != all->end()) continue;
    return "ingest.wide_decimals names \"" + path +
           "\", which the schema does not have yet; it takes effect when a schema adds it" +
           DidYouMean(path, *wide);
  }
  return "";
}

Status CheckSameNames(const BronzeLayout& one, const BronzeLayout& other) {
  for (int i = 0; i < one.record->num_fields(); ++i) {
    const std::string& field = one.record->field(i)->name();
    const int j = other.record->GetFieldIndex(field);
    if (j < 0 || other.column_names[j] == one.column_names[i]) continue;
    return Status::Invalid("field ", field, " is column ", one.column_names[i], " in one layout, ",
                           "and column ", other.column_names[j], " in the other");
  }
  return Status::OK();
}

Status CheckGrowth(const BronzeLayout& before, const BronzeLayout& after) {
  ARROW_RETURN_NOT_OK(CheckSameNames(before, after));
  ARROW_RETURN_NOT_OK(lake::MergeColumns(before.table.schema, *after.table.schema));
  // A new branch may rename the members of a union's column.
  return lake::CheckColumns(*after.table.schema, *before.table.schema);
}

Result<std::shared_ptr<const BronzeLayout>> BronzeLayout::Grow(
    const std::shared_ptr<const BronzeLayout>& layout, const avro::Schema& writer) {
  ARROW_ASSIGN_OR_RAISE(const auto reader, avro::MergeSchemas(layout->reader_schema, writer));
  if (reader.text() == layout->reader_schema.text()) return layout;
  ARROW_ASSIGN_OR_RAISE(BronzeLayout grown, Make(reader, layout->options));
  ARROW_RETURN_NOT_OK(CheckGrowth(*layout, grown));
  return std::make_shared<const BronzeLayout>(std::move(grown));
}

}  // namespace shopstream::ingest
