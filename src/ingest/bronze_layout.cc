#include "ingest/bronze_layout.h"

#include "avro/decoder.h"
#include "model/lake_names.h"

namespace shopstream::ingest {
namespace {

std::shared_ptr<arrow::DataType> Timestamp() {
  return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
}

// What every row carries besides the record: where in Kafka it came from, and when it was taken.
arrow::FieldVector CoordinateFields() {
  return {arrow::field("kafka_topic", arrow::utf8()), arrow::field("kafka_topic_id", arrow::utf8()),
          arrow::field("kafka_partition", arrow::int32()),
          arrow::field("kafka_offset", arrow::int64()),
          arrow::field("kafka_timestamp", Timestamp())};
}

Result<int> FindField(const arrow::Schema& record, const std::string& name,
                      const arrow::DataType& type, const char* setting) {
  int index = record.GetFieldIndex(name);
  if (index < 0) {
    return Status::Invalid("The event schema has no field \"", name, "\", which ", setting,
                           " names. Its fields: ", record.ToString());
  }
  if (!record.field(index)->type()->Equals(type)) {
    return Status::Invalid("The event's field \"", name, "\" is ",
                           record.field(index)->type()->ToString(), " but ", setting, " needs ",
                           type.ToString());
  }
  return index;
}

}  // namespace

Result<BronzeLayout> BronzeLayout::Make(const avro::Schema& reader_schema,
                                        const LayoutOptions& options) {
  BronzeLayout layout;
  layout.reader_schema = reader_schema;
  layout.partition_values = options.partition_values;
  ARROW_ASSIGN_OR_RAISE(layout.record, avro::ToArrowSchema(reader_schema));
  ARROW_ASSIGN_OR_RAISE(layout.partition_column, FindField(*layout.record, options.partition_field,
                                                           *arrow::utf8(), "the partition field"));
  ARROW_ASSIGN_OR_RAISE(
      layout.event_time_column,
      FindField(*layout.record, options.event_time_field, *Timestamp(), "the event time field"));
  arrow::FieldVector own = CoordinateFields();
  own.push_back(arrow::field("schema_id", arrow::int32()));
  own.push_back(arrow::field("ingested_at", Timestamp()));

  arrow::FieldVector columns;
  for (int i = 0; i < layout.record->num_fields(); ++i) {
    // Nullable throughout: a later schema may drop any field, and Delta has no way to relax it.
    if (i != layout.partition_column)
      columns.push_back(layout.record->field(i)->WithNullable(true));
  }
  for (const auto& field : own) {
    if (layout.record->GetFieldIndex(field->name()) >= 0 ||
        layout.record->GetFieldIndex("date") >= 0) {
      return Status::Invalid("The event has a field named \"", field->name(),
                             "\" or \"date\", which Bronze needs for itself; rename it");
    }
    columns.push_back(field);
  }
  layout.file = arrow::schema(columns);
  columns.push_back(arrow::field(options.partition_field, arrow::utf8()));
  columns.push_back(arrow::field("date", arrow::date32()));
  layout.table = {.path = kBronzePath,
                  .schema = arrow::schema(columns),
                  .partition_columns = {options.partition_field, "date"},
                  .properties = {{kReaderSchemaProperty, reader_schema.text()}}};
  return layout;
}

lake::TableSpec QuarantineSpec() {
  arrow::FieldVector columns = CoordinateFields();
  for (const auto& field :
       {arrow::field("schema_id", arrow::int32()), arrow::field("cause", arrow::utf8()),
        arrow::field("detail", arrow::utf8()), arrow::field("key", arrow::binary()),
        arrow::field("value", arrow::binary()), arrow::field("headers", arrow::utf8()),
        arrow::field("quarantined_at", Timestamp()), arrow::field("date", arrow::date32())}) {
    columns.push_back(field);
  }
  return {.path = kQuarantinePath,
          .schema = arrow::schema(columns),
          .partition_columns = {"date"},
          .properties = {}};
}

}  // namespace shopstream::ingest
