#include "ingest/partitioning.h"

#include <arrow/scalar.h>
#include <arrow/type.h>

#include <set>
#include <utility>

#include "base/unicode_names.h"
#include "ingest/field_choice.h"
#include "lake/parquet/partition_path.h"
#include "model/calendar.h"
#include "tables/columns.h"

namespace shopstream::ingest {
namespace {

// Why no table can be partitioned by such a column; null if it can.
const char* WhyNotPartition(const avro::ColumnPath& column) {
  if (column.node == nullptr) return "which is always null";
  const std::string& logical = column.node->logical_type;
  if (logical.find("timestamp-") != std::string::npos || logical.starts_with("time-")) {
    return "which differs in every record: each table is partitioned by date anyway";
  }
  switch (column.type->id()) {
    case arrow::Type::STRING:
      return logical.ends_with("decimal") ? "which is too wide to be a partition column" : nullptr;
    case arrow::Type::BOOL:
    case arrow::Type::INT64:
    case arrow::Type::DATE32:
      return nullptr;
    case arrow::Type::DECIMAL128:
      // It writes -1.23 as "-1.-23", and then cannot read that.
      return static_cast<const arrow::DecimalType&>(*column.type).scale() == 0
                 ? nullptr
                 : "whose negative values delta-rs cannot read as partition values";
    case arrow::Type::DOUBLE:
      return "whose equal values can be spelled differently";
    case arrow::Type::BINARY:
      return "which is not a text";
    default:
      return "which is not a single value";
  }
}

std::vector<std::string> PartitionCandidates(const std::vector<avro::ColumnPath>& columns) {
  std::vector<std::string> texts, others;
  for (const avro::ColumnPath& column : columns) {
    if (WhyNotPartition(column) != nullptr) continue;
    const bool text = column.type->id() == arrow::Type::STRING;
    (text ? texts : others).push_back(column.path + " (" + DescribeType(column) + ")");
  }
  texts.insert(texts.end(), others.begin(), others.end());
  return texts;
}

// Names in use, ignoring case as Delta does.
class TakenNames {
 public:
  TakenNames() {
    for (const auto& field : tables::BronzeFields()) names_.insert(FoldCase(field->name()));
    names_.insert(tables::kDate);
  }
  std::string Take(std::string name) {
    while (!names_.insert(FoldCase(name)).second) name += '_';
    return name;
  }

 private:
  std::set<std::string> names_;
};

}  // namespace

Result<std::vector<PartitionField>> ResolvePartition(const std::vector<avro::ColumnPath>& columns,
                                                     const LayoutOptions& options) {
  const FieldSetting setting{"ingest.partition_field", PartitionCandidates(columns),
                             "Or leave it empty to partition by date only."};
  std::vector<PartitionField> partition;
  for (const std::string& path : options.partition_field) {
    ARROW_ASSIGN_OR_RAISE(const avro::ColumnPath* column, FindField(columns, path, setting));
    if (const char* why = WhyNotPartition(*column)) return RefuseField(*column, why, setting);
    partition.push_back({.path = path, .column = "", .place = column->place, .type = column->type});
  }
  if (!options.partition_values.empty() && partition.size() == 1 && !partition[0].is_text()) {
    return Status::Invalid("ingest.partition_values lists texts, and \"", partition[0].path,
                           "\" is ", partition[0].type->ToString(),
                           ": leave ingest.partition_values empty");
  }
  return partition;
}

std::vector<std::string> ColumnNames(const arrow::Schema& record,
                                     std::vector<PartitionField>* partition) {
  TakenNames taken;
  for (PartitionField& field : *partition) {
    if (!field.nested()) continue;
    std::string name = field.path;
    for (char& c : name) {
      if (c == '.') c = '_';
    }
    field.column = taken.Take(std::move(name));
  }
  std::vector<std::string> names;
  for (const auto& field : record.fields()) {
    names.push_back(taken.Take(field->name()));
    for (PartitionField& one : *partition) {
      if (!one.nested() && one.path == field->name()) one.column = names.back();
    }
  }
  return names;
}

std::optional<std::string> PartitionText(const PartitionField& field, const avro::Columns& columns,
                                         int64_t row) {
  if (columns.IsNullAt(field.place, row)) return std::nullopt;
  switch (field.type->id()) {
    case arrow::Type::BOOL:
      return columns.BoolAt(field.place, row) ? "true" : "false";
    case arrow::Type::INT64:
      return std::to_string(columns.Int64At(field.place, row));
    case arrow::Type::DATE32:
      return FormatDate(static_cast<int32_t>(columns.Int64At(field.place, row)));
    case arrow::Type::DECIMAL128: {
      const arrow::Decimal128 value(columns.DecimalAt(field.place, row));
      // Cannot fail: every decimal has a text.
      return *lake::FormatPartitionValue(arrow::Decimal128Scalar(value, field.type));
    }
    default:
      return std::string(columns.StringAt(field.place, row));
  }
}

}  // namespace shopstream::ingest
