#include "lake/parquet/value_facts.h"

#include <arrow/compute/cast.h>
#include <arrow/scalar.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/decimal.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace shopstream::lake {
namespace {

using arrow::Array;
using arrow::internal::checked_cast;

// The smallest and largest value of an array, if it has any.
template <typename Value>
struct Extremes {
  bool found = false;
  bool has_nan = false;
  Value min{};
  Value max{};

  void Add(const Value& value) {
    if (value != value) {
      has_nan = true;
    } else if (!found) {
      found = true;
      min = max = value;
    } else if (value < min) {
      min = value;
    } else if (max < value) {
      max = value;
    }
  }
};

template <typename Value, typename Get>
Extremes<Value> FindExtremes(const Array& array, const Get& get) {
  Extremes<Value> extremes;
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsValid(i)) extremes.Add(get(i));
  }
  return extremes;
}

// Widens the bounds in `facts` to include an array's. `make` copies a value to a scalar of its own,
// which keeps no batch in memory; `less(value, scalar)` and `more(value, scalar)` compare with one.
template <typename Value, typename Make, typename Less, typename More>
void Widen(const Extremes<Value>& extremes, const Make& make, const Less& less, const More& more,
           ColumnFacts* facts) {
  facts->has_nan = facts->has_nan || extremes.has_nan;
  if (!extremes.found) return;
  if (!facts->min || less(extremes.min, *facts->min)) facts->min = make(extremes.min);
  if (!facts->max || more(extremes.max, *facts->max)) facts->max = make(extremes.max);
}

template <typename ArrayType, typename Value>
void WidenBy(const Array& array, ColumnFacts* facts) {
  using ScalarType = typename arrow::TypeTraits<typename ArrayType::TypeClass>::ScalarType;
  const auto& typed = checked_cast<const ArrayType&>(array);
  const auto extremes =
      FindExtremes<Value>(array, [&](int64_t i) { return Value(typed.GetView(i)); });
  const auto of = [](const arrow::Scalar& scalar) {
    return checked_cast<const ScalarType&>(scalar).value;
  };
  Widen(
      extremes,
      [&](const Value& value) -> std::shared_ptr<arrow::Scalar> {
        if constexpr (std::is_constructible_v<ScalarType, Value,
                                              std::shared_ptr<arrow::DataType>>) {
          return std::make_shared<ScalarType>(value, facts->type);
        } else {
          return std::make_shared<ScalarType>(value);
        }
      },
      [&](const Value& value, const arrow::Scalar& scalar) { return value < of(scalar); },
      [&](const Value& value, const arrow::Scalar& scalar) { return of(scalar) < value; }, facts);
}

void WidenByText(const Array& array, ColumnFacts* facts) {
  const auto& typed = checked_cast<const arrow::StringArray&>(array);
  const auto extremes =
      FindExtremes<std::string_view>(array, [&](int64_t i) { return typed.GetView(i); });
  const auto of = [](const arrow::Scalar& scalar) {
    return checked_cast<const arrow::StringScalar&>(scalar).view();
  };
  Widen(
      extremes,
      [](std::string_view text) {
        return std::make_shared<arrow::StringScalar>(std::string(text));
      },
      [&](std::string_view text, const arrow::Scalar& scalar) { return text < of(scalar); },
      [&](std::string_view text, const arrow::Scalar& scalar) { return of(scalar) < text; }, facts);
}

void WidenByDecimal(const Array& array, ColumnFacts* facts) {
  using arrow::Decimal128;
  const auto& typed = checked_cast<const arrow::Decimal128Array&>(array);
  const auto extremes =
      FindExtremes<Decimal128>(array, [&](int64_t i) { return Decimal128(typed.GetValue(i)); });
  const auto of = [](const arrow::Scalar& scalar) {
    return checked_cast<const arrow::Decimal128Scalar&>(scalar).value;
  };
  Widen(
      extremes,
      [&](const Decimal128& value) {
        return std::make_shared<arrow::Decimal128Scalar>(value, facts->type);
      },
      [&](const Decimal128& value, const arrow::Scalar& scalar) { return value < of(scalar); },
      [&](const Decimal128& value, const arrow::Scalar& scalar) { return of(scalar) < value; },
      facts);
}

void WidenBounds(const Array& array, ColumnFacts* facts) {
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      return WidenBy<arrow::BooleanArray, bool>(array, facts);
    case arrow::Type::INT8:
      return WidenBy<arrow::Int8Array, int8_t>(array, facts);
    case arrow::Type::INT16:
      return WidenBy<arrow::Int16Array, int16_t>(array, facts);
    case arrow::Type::INT32:
      return WidenBy<arrow::Int32Array, int32_t>(array, facts);
    case arrow::Type::INT64:
      return WidenBy<arrow::Int64Array, int64_t>(array, facts);
    case arrow::Type::DATE32:
      return WidenBy<arrow::Date32Array, int32_t>(array, facts);
    case arrow::Type::TIMESTAMP:
      return WidenBy<arrow::TimestampArray, int64_t>(array, facts);
    case arrow::Type::FLOAT:
      return WidenBy<arrow::FloatArray, float>(array, facts);
    case arrow::Type::DOUBLE:
      return WidenBy<arrow::DoubleArray, double>(array, facts);
    case arrow::Type::STRING:
      return WidenByText(array, facts);
    case arrow::Type::DECIMAL128:
      return WidenByDecimal(array, facts);
    default:
      return;  // Has no order.
  }
}

// Visits the arrays of the columns with statistics, in order. Members of a null struct are null.
Status VisitColumns(const std::shared_ptr<Array>& values, arrow::MemoryPool* pool,
                    const std::function<Status(const Array&)>& visit) {
  switch (values->type_id()) {
    case arrow::Type::LIST:
    case arrow::Type::MAP:
    case arrow::Type::NA:
      return Status::OK();
    case arrow::Type::STRUCT: {
      ARROW_ASSIGN_OR_RAISE(const auto members,
                            checked_cast<const arrow::StructArray&>(*values).Flatten(pool));
      for (const auto& member : members) ARROW_RETURN_NOT_OK(VisitColumns(member, pool, visit));
      return Status::OK();
    }
    case arrow::Type::DICTIONARY: {
      const auto& type = checked_cast<const arrow::DictionaryType&>(*values->type());
      arrow::compute::ExecContext context(pool);
      ARROW_ASSIGN_OR_RAISE(const auto plain,
                            arrow::compute::Cast(*values, type.value_type(),
                                                 arrow::compute::CastOptions::Safe(), &context));
      return visit(*plain);
    }
    default:
      return visit(*values);
  }
}

template <typename ArrayType>
bool HasNanOrOnlyZeros(const Array& values, const int32_t* positions, int64_t count) {
  const auto& typed = checked_cast<const ArrayType&>(values);
  const auto* raw = typed.raw_values();
  bool has_nan = false;
  bool has_other = false;
  const auto look_at = [&](auto value) {
    has_nan |= value != value;
    has_other |= value != 0;
  };
  if (positions == nullptr && values.null_count() == 0) {
    for (int64_t i = 0; i < count; ++i) look_at(raw[i]);
  } else {
    for (int64_t i = 0; i < count; ++i) {
      const int64_t at = positions == nullptr ? i : positions[i];
      if (values.IsValid(at)) look_at(raw[at]);
    }
  }
  return has_nan || !has_other;
}

}  // namespace

ValueFacts::ValueFacts(const arrow::Field& field,
                       const std::function<bool(const arrow::DataType&)>& wanted) {
  const arrow::Schema alone({field.Copy()});
  for (ColumnFacts& column : ColumnsWithStatistics(alone)) {
    wanted_.push_back(wanted == nullptr || wanted(*column.type));
    if (!wanted_.back()) continue;
    column.null_count = 0;
    columns_.push_back(std::move(column));
  }
}

Status ValueFacts::Add(const Array& values, arrow::MemoryPool* pool) {
  if (columns_.empty()) return Status::OK();
  size_t at = 0;
  size_t kept = 0;
  return VisitColumns(arrow::MakeArray(values.data()), pool, [&](const Array& column) {
    if (!wanted_.at(at++)) return Status::OK();
    ColumnFacts& facts = columns_[kept++];
    if (!column.type()->Equals(facts.type)) {
      return Status::Invalid("column ", facts.DottedPath(), " is ", column.type()->ToString(),
                             ", not ", facts.type->ToString());
    }
    *facts.null_count += column.null_count();
    WidenBounds(column, &facts);
    return Status::OK();
  });
}

Status ValueFacts::Add(const arrow::ChunkedArray& values) {
  for (const auto& chunk : values.chunks()) ARROW_RETURN_NOT_OK(Add(*chunk));
  return Status::OK();
}

bool BoundsMislead(const Array& values, const int32_t* positions, int64_t count) {
  switch (values.type_id()) {
    case arrow::Type::FLOAT:
      return HasNanOrOnlyZeros<arrow::FloatArray>(values, positions, count);
    case arrow::Type::DOUBLE:
      return HasNanOrOnlyZeros<arrow::DoubleArray>(values, positions, count);
    default:
      return false;
  }
}

}  // namespace shopstream::lake
