#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include <memory>

#include "base/status.h"

namespace shopstream::tables {

// The column of a batch as `Array`. Invalid: it is missing or has another type.
template <typename Array>
Result<std::shared_ptr<Array>> TypedColumn(const arrow::RecordBatch& rows, const char* name) {
  const auto column = rows.GetColumnByName(name);
  if (column == nullptr) return Status::Invalid("there is no column ", name);
  if (column->type_id() != Array::TypeClass::type_id) {
    return Status::Invalid("column ", name, " is ", column->type()->ToString(), ", not ",
                           Array::TypeClass::type_name());
  }
  return std::static_pointer_cast<Array>(column);
}

}  // namespace shopstream::tables
