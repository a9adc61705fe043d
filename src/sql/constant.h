#pragma once

#include <arrow/scalar.h>
#include <arrow/type.h>

#include <memory>
#include <nlohmann/json_fwd.hpp>

namespace shopstream::sql {

// The least and the greatest value that may equal a constant once DuckDB has converted it to a
// column's type. Both are null if that is not certain.
struct ConstantBounds {
  std::shared_ptr<arrow::Scalar> least = nullptr, most = nullptr;
};

// `expression`: a constant, or a cast of one to a date or a time, as in the text of
// json_serialize_sql.
ConstantBounds BoundsOf(const nlohmann::json& expression,
                        const std::shared_ptr<arrow::DataType>& type);

}  // namespace shopstream::sql
