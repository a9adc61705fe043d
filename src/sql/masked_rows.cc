#include "sql/masked_rows.h"

#include <arrow/array/util.h>
#include <arrow/scalar.h>

#include <string>
#include <utility>

namespace shopstream::sql {
namespace {

class MaskedScan : public RowScan {
 public:
  // `fields`: those of the batches. `is_masked`: for each of them.
  MaskedScan(std::unique_ptr<RowScan> rows, arrow::FieldVector fields, std::vector<bool> is_masked)
      : rows_(std::move(rows)), fields_(std::move(fields)), is_masked_(std::move(is_masked)) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Next(int thread) override {
    ARROW_ASSIGN_OR_RAISE(const auto batch, rows_->Next(thread));
    if (batch == nullptr) return nullptr;
    const auto mask = arrow::MakeScalar(std::string(kMask));
    arrow::ArrayVector columns;
    int next = 0;  // Column of the batch.
    for (const bool masked : is_masked_) {
      if (masked) {
        ARROW_ASSIGN_OR_RAISE(columns.emplace_back(),
                              arrow::MakeArrayFromScalar(*mask, batch->num_rows()));
      } else {
        columns.push_back(batch->column(next++));
      }
    }
    return arrow::RecordBatch::Make(arrow::schema(fields_), batch->num_rows(), std::move(columns));
  }

 private:
  const std::unique_ptr<RowScan> rows_;
  const arrow::FieldVector fields_;
  const std::vector<bool> is_masked_;
};

}  // namespace

MaskedRows::MaskedRows(RowSource* rows, const std::vector<int>& masked)
    : rows_(rows), is_masked_(static_cast<size_t>(rows->schema()->num_fields())) {
  for (const int column : masked) is_masked_[static_cast<size_t>(column)] = true;
  arrow::FieldVector fields, unmasked;
  for (int i = 0; i < rows->schema()->num_fields(); ++i) {
    const auto& field = rows->schema()->field(i);
    const bool hides = is_masked_[static_cast<size_t>(i)];
    fields.push_back(hides ? field->WithType(arrow::utf8()) : field);
    if (!hides) unmasked.push_back(field);
  }
  schema_ = arrow::schema(std::move(fields));
  unmasked_ = arrow::schema(std::move(unmasked));
}

Result<std::unique_ptr<RowScan>> MaskedRows::Open(const std::vector<int>& columns, int threads) {
  std::vector<int> read;
  std::vector<bool> masked;
  arrow::FieldVector fields;
  for (const int column : columns) {
    masked.push_back(is_masked_[static_cast<size_t>(column)]);
    fields.push_back(schema_->field(column));
    if (!masked.back()) read.push_back(column);
  }
  ARROW_ASSIGN_OR_RAISE(auto rows, rows_->Open(read, threads));
  return std::make_unique<MaskedScan>(std::move(rows), std::move(fields), std::move(masked));
}

}  // namespace shopstream::sql
