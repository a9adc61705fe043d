#include "generate/purchase_columns.h"

#include <arrow/array/data.h>
#include <arrow/type.h>

#include <utility>

#include "model/purchase_event.h"

namespace shopstream::generate {

Status TextColumn::Reserve(int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(offsets_buffer_,
                        arrow::AllocateResizableBuffer((rows + 1) * sizeof(int32_t)));
  ARROW_ASSIGN_OR_RAISE(bytes_buffer_,
                        arrow::AllocateResizableBuffer((rows + 1) * PaddedText::kCapacity));
  offsets_ = reinterpret_cast<int32_t*>(offsets_buffer_->mutable_data());
  bytes_ = reinterpret_cast<char*>(bytes_buffer_->mutable_data());
  offsets_[0] = 0;
  size_ = 0;
  row_ = 0;
  return Status::OK();
}

Result<std::shared_ptr<arrow::ArrayData>> TextColumn::Finish() {
  ARROW_RETURN_NOT_OK(bytes_buffer_->Resize(size_, /*shrink_to_fit=*/false));
  return arrow::ArrayData::Make(
      arrow::utf8(), row_,
      {nullptr, std::shared_ptr<arrow::Buffer>(std::move(offsets_buffer_)),
       std::shared_ptr<arrow::Buffer>(std::move(bytes_buffer_))},
      /*null_count=*/0);
}

template <typename T>
std::shared_ptr<arrow::ArrayData> FixedColumn<T>::Finish(
    const std::shared_ptr<arrow::DataType>& type) {
  return arrow::ArrayData::Make(
      type, rows_, {nullptr, std::shared_ptr<arrow::Buffer>(std::move(buffer_))}, /*null_count=*/0);
}

Status PurchaseColumns::Reserve(int64_t rows) {
  for (TextColumn* column : {&event_id, &region, &product_id, &product_name, &currency}) {
    ARROW_RETURN_NOT_OK(column->Reserve(rows));
  }
  ARROW_RETURN_NOT_OK(user_id.Reserve(rows));
  ARROW_RETURN_NOT_OK(quantity.Reserve(rows));
  ARROW_RETURN_NOT_OK(amount.Reserve(rows));
  return timestamp.Reserve(rows);
}

Result<std::shared_ptr<arrow::RecordBatch>> PurchaseColumns::Finish(int64_t rows) {
  const std::shared_ptr<arrow::Schema> schema = PurchaseEventSchema();
  ARROW_ASSIGN_OR_RAISE(auto event_ids, event_id.Finish());
  ARROW_ASSIGN_OR_RAISE(auto regions, region.Finish());
  ARROW_ASSIGN_OR_RAISE(auto product_ids, product_id.Finish());
  ARROW_ASSIGN_OR_RAISE(auto product_names, product_name.Finish());
  ARROW_ASSIGN_OR_RAISE(auto currencies, currency.Finish());
  std::vector<std::shared_ptr<arrow::ArrayData>> columns = {
      event_ids,
      user_id.Finish(arrow::int32()),
      regions,
      product_ids,
      product_names,
      quantity.Finish(arrow::int32()),
      amount.Finish(arrow::float64()),
      currencies,
      timestamp.Finish(schema->field(8)->type()),
  };
  return arrow::RecordBatch::Make(schema, rows, std::move(columns));
}

}  // namespace shopstream::generate
