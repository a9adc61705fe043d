#include "ingest/bronze_layout.h"

#include <utility>

#include "avro/decoder.h"
#include "avro/merge.h"
#include "base/join.h"
#include "base/nearest_name.h"
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

Result<int> FindTextField(const arrow::Schema& record, const std::string& name,
                          const arrow::DataType& type, const char* setting) {
  int index = record.GetFieldIndex(name);
  if (index < 0) {
    const std::vector<std::string> fields = record.field_names();
    const std::string near = DidYouMean(name, fields);
    return Status::Invalid(setting, " is '", name, "', but the event's schema has no such field",
                           near.empty() ? ": it has " + Joined(fields, ", ") : near);
  }
  if (!record.field(index)->type()->Equals(type)) {
    return Status::Invalid(setting, " is '", name, "', whose type is ",
                           record.field(index)->type()->ToString(), ": name a field of type ",
                           type.ToString());
  }
  return index;
}

}  // namespace

LayoutOptions LayoutOptions::From(const Config& config) {
  return {.table = config.lake.bronze_table,
          .quarantine_table = config.lake.quarantine_table,
          .partition_field = config.ingest.partition_field.front(),
          .partition_values = config.ingest.partition_values,
          .max_partition_values = config.ingest.max_partition_values,
          .event_time_field = config.ingest.event_time_field,
          .event_time_unit = config.ingest.event_time_unit,
          .event_time_earliest = config.ingest.event_time_earliest,
          .event_time_ahead_hours = config.ingest.event_time_ahead_hours};
}

Result<BronzeLayout> BronzeLayout::Make(const avro::Schema& reader_schema,
                                        const LayoutOptions& options) {
  BronzeLayout layout;
  layout.reader_schema = reader_schema;
  layout.options = options;
  ARROW_ASSIGN_OR_RAISE(layout.record, avro::ToArrowSchema(reader_schema));
  if (layout.record->num_fields() > kMaxColumns) {
    return Status::Invalid("the record has ", layout.record->num_fields(), " fields; at most ",
                           kMaxColumns, " become columns");
  }
  ARROW_ASSIGN_OR_RAISE(layout.partition_column,
                        FindTextField(*layout.record, options.partition_field, *arrow::utf8(),
                                      "ingest.partition_field"));
  ARROW_ASSIGN_OR_RAISE(const auto paths, avro::ColumnPaths(reader_schema));
  ARROW_ASSIGN_OR_RAISE(layout.event_time, ResolveEventTime(paths, options));
  arrow::FieldVector columns;
  for (int i = 0; i < layout.record->num_fields(); ++i) {
    if (i != layout.partition_column) columns.push_back(NullableField(layout.record->field(i)));
  }
  for (const auto& field : tables::BronzeFields()) {
    if (layout.record->GetFieldIndex(field->name()) >= 0 ||
        layout.record->GetFieldIndex(tables::kDate) >= 0) {
      return Status::Invalid("The event has a field named \"", field->name(),
                             "\" or \"date\", which is reserved for Bronze; rename it");
    }
    columns.push_back(field);
  }
  layout.file = arrow::schema(columns);
  columns.push_back(arrow::field(options.partition_field, arrow::utf8()));
  columns.push_back(arrow::field(tables::kDate, arrow::date32()));
  layout.table = {.path = options.table,
                  .schema = arrow::schema(columns),
                  .partition_columns = {options.partition_field, tables::kDate},
                  .properties = {{tables::kReaderSchemaProperty, reader_schema.text()}}};
  return layout;
}

Status CheckGrowth(const BronzeLayout& before, const BronzeLayout& after) {
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
