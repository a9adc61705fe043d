#include "tables/columns.h"

#include <arrow/type.h>

namespace shopstream::tables {
namespace {

arrow::FieldVector CoordinateFields() {
  return {arrow::field(kTopic, arrow::utf8()), arrow::field(kTopicId, arrow::utf8()),
          arrow::field(kPartition, arrow::int32()), arrow::field(kOffset, arrow::int64()),
          arrow::field(kTimestamp, Instant())};
}

}  // namespace

std::shared_ptr<arrow::DataType> Instant() {
  return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
}

arrow::FieldVector BronzeFields() {
  arrow::FieldVector fields = CoordinateFields();
  fields.push_back(arrow::field(kSchemaId, arrow::int32()));
  fields.push_back(arrow::field(kIngestedAt, Instant()));
  return fields;
}

arrow::FieldVector QuarantineFields() {
  arrow::FieldVector fields = CoordinateFields();
  for (const auto& field :
       {arrow::field(kSchemaId, arrow::int32()), arrow::field(kCause, arrow::utf8()),
        arrow::field(kDetail, arrow::utf8()), arrow::field(kKey, arrow::binary()),
        arrow::field(kValue, arrow::binary()), arrow::field(kHeaders, arrow::utf8()),
        arrow::field(kQuarantinedAt, Instant())}) {
    fields.push_back(field);
  }
  return fields;
}

lake::TableSpec QuarantineSpec(const std::string& path) {
  arrow::FieldVector fields = QuarantineFields();
  fields.push_back(arrow::field(kDate, arrow::date32()));
  return {.path = path,
          .schema = arrow::schema(fields),
          .partition_columns = {kDate},
          .properties = {}};
}

}  // namespace shopstream::tables
