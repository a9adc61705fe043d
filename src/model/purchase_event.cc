#include "model/purchase_event.h"

#include <arrow/type.h>

namespace shopstream {

std::shared_ptr<arrow::Schema> PurchaseEventSchema() {
  static const std::shared_ptr<arrow::Schema> schema = arrow::schema({
      arrow::field("event_id", arrow::utf8(), false),
      arrow::field("user_id", arrow::int32(), false),
      arrow::field("region", arrow::utf8(), false),
      arrow::field("product_id", arrow::utf8(), false),
      arrow::field("product_name", arrow::utf8(), false),
      arrow::field("quantity", arrow::int32(), false),
      arrow::field("amount", arrow::float64(), false),
      arrow::field("currency", arrow::utf8(), false),
      arrow::field("timestamp", arrow::timestamp(arrow::TimeUnit::MILLI, "UTC"), false),
  });
  return schema;
}

}  // namespace shopstream
