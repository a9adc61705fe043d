#pragma once

#include <arrow/type_fwd.h>

#include <memory>

namespace shopstream {

// The Arrow schema of a batch of purchases, in this order: event_id utf8, user_id int32,
// region utf8, product_id utf8, product_name utf8, quantity int32, amount float64, currency
// utf8, timestamp timestamp[ms, UTC]; no nulls. The fields are those of
// schemas/purchase_event.avsc.
std::shared_ptr<arrow::Schema> PurchaseEventSchema();

}  // namespace shopstream
