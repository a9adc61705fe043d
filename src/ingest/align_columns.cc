#include "ingest/align_columns.h"

#include <arrow/array/concatenate.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>

#include <utility>

namespace shopstream::ingest {
namespace {

using DataPtr = std::shared_ptr<arrow::ArrayData>;
using TypePtr = std::shared_ptr<arrow::DataType>;

Result<DataPtr> Align(const DataPtr& data, const TypePtr& type);

Result<DataPtr> AlignStruct(const DataPtr& data, const TypePtr& type) {
  auto aligned = std::make_shared<arrow::ArrayData>(*data);
  aligned->type = type;
  aligned->child_data.clear();
  const auto& members = static_cast<const arrow::StructType&>(*data->type);
  for (const auto& field : type->fields()) {
    const int member = members.GetFieldIndex(field->name());
    if (member < 0) {
      ARROW_ASSIGN_OR_RAISE(const auto nulls,
                            arrow::MakeArrayOfNull(field->type(), data->offset + data->length));
      aligned->child_data.push_back(nulls->data());
    } else {
      ARROW_ASSIGN_OR_RAISE(aligned->child_data.emplace_back(),
                            Align(data->child_data[member], field->type()));
    }
  }
  return aligned;
}

Result<DataPtr> Align(const DataPtr& data, const TypePtr& type) {
  if (data->type->Equals(*type)) return data;
  if (data->type->id() == type->id()) {
    switch (type->id()) {
      case arrow::Type::STRUCT:
        return AlignStruct(data, type);
      case arrow::Type::LIST:
      case arrow::Type::MAP: {
        auto aligned = std::make_shared<arrow::ArrayData>(*data);
        aligned->type = type;
        ARROW_ASSIGN_OR_RAISE(aligned->child_data[0],
                              Align(data->child_data[0], type->field(0)->type()));
        return aligned;
      }
      default:
        break;
    }
  }
  return Status::Invalid("a column of ", data->type->ToString(), " is not a column of ",
                         type->ToString());
}

}  // namespace

Result<std::shared_ptr<arrow::Array>> AlignArray(const std::shared_ptr<arrow::Array>& array,
                                                 const std::shared_ptr<arrow::DataType>& type) {
  if (array->type()->Equals(*type)) return array;
  ARROW_ASSIGN_OR_RAISE(auto data, Align(array->data(), type));
  return arrow::MakeArray(std::move(data));
}

Result<std::shared_ptr<arrow::RecordBatch>> AlignBatches(
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches,
    const std::shared_ptr<arrow::Schema>& schema) {
  int64_t rows = 0;
  for (const auto& batch : batches) rows += batch->num_rows();
  arrow::ArrayVector columns;
  for (const auto& field : schema->fields()) {
    arrow::ArrayVector parts;
    for (auto& batch : batches) {
      const int column = batch->schema()->GetFieldIndex(field->name());
      if (column < 0) {
        ARROW_ASSIGN_OR_RAISE(parts.emplace_back(),
                              arrow::MakeArrayOfNull(field->type(), batch->num_rows()));
      } else {
        ARROW_ASSIGN_OR_RAISE(parts.emplace_back(),
                              AlignArray(batch->column(column), field->type()));
        ARROW_ASSIGN_OR_RAISE(batch, batch->RemoveColumn(column));
      }
    }
    ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), arrow::Concatenate(parts));
  }
  return arrow::RecordBatch::Make(schema, rows, std::move(columns));
}

}  // namespace shopstream::ingest
