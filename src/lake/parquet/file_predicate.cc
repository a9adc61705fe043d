#include "lake/parquet/file_predicate.h"

#include <arrow/util/checked_cast.h>
#include <arrow/util/decimal.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <cmath>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "base/number.h"
#include "lake/parquet/column_statistics.h"
#include "lake/parquet/json_tree.h"
#include "lake/parquet/partition_path.h"
#include "lake/parquet/statistics_bound.h"

namespace shopstream::lake {
namespace {

using arrow::Scalar;
using arrow::internal::checked_cast;

// What is known about a column's values in some rows; by default, nothing.
struct KnownValues {
  bool may_be_null = true;
  bool may_have_value = true;
  std::shared_ptr<Scalar> min;  // Null: unknown.
  std::shared_ptr<Scalar> max;
};

std::shared_ptr<arrow::DataType> TypeOf(const ColumnRange& range) {
  if (range.least != nullptr) return range.least->type;
  return range.most != nullptr ? range.most->type : nullptr;
}

template <typename ScalarType>
std::partial_ordering CompareAs(const Scalar& a, const Scalar& b) {
  const auto& left = checked_cast<const ScalarType&>(a).value;
  const auto& right = checked_cast<const ScalarType&>(b).value;
  if (left < right) return std::partial_ordering::less;
  if (right < left) return std::partial_ordering::greater;
  return left == right ? std::partial_ordering::equivalent : std::partial_ordering::unordered;
}

// Unordered: of different types, of a type without bounds, null or NaN.
std::partial_ordering CompareValues(const Scalar& a, const Scalar& b) {
  if (!a.type->Equals(*b.type) || !a.is_valid || !b.is_valid) {
    return std::partial_ordering::unordered;
  }
  switch (a.type->id()) {
    case arrow::Type::BOOL:
      return CompareAs<arrow::BooleanScalar>(a, b);
    case arrow::Type::INT8:
      return CompareAs<arrow::Int8Scalar>(a, b);
    case arrow::Type::INT16:
      return CompareAs<arrow::Int16Scalar>(a, b);
    case arrow::Type::INT32:
      return CompareAs<arrow::Int32Scalar>(a, b);
    case arrow::Type::INT64:
      return CompareAs<arrow::Int64Scalar>(a, b);
    case arrow::Type::FLOAT:
      return CompareAs<arrow::FloatScalar>(a, b);
    case arrow::Type::DOUBLE:
      return CompareAs<arrow::DoubleScalar>(a, b);
    case arrow::Type::DECIMAL128:
      return CompareAs<arrow::Decimal128Scalar>(a, b);
    case arrow::Type::DATE32:
      return CompareAs<arrow::Date32Scalar>(a, b);
    case arrow::Type::TIMESTAMP:
      return CompareAs<arrow::TimestampScalar>(a, b);
    case arrow::Type::STRING:
      return checked_cast<const arrow::StringScalar&>(a).view() <=>
             checked_cast<const arrow::StringScalar&>(b).view();
    default:
      return std::partial_ordering::unordered;
  }
}

bool IsNan(const Scalar& value) {
  if (!value.is_valid) return false;
  if (value.type->id() == arrow::Type::FLOAT) {
    return std::isnan(checked_cast<const arrow::FloatScalar&>(value).value);
  }
  return value.type->id() == arrow::Type::DOUBLE &&
         std::isnan(checked_cast<const arrow::DoubleScalar&>(value).value);
}

// Whether rows of NaN, which no bound shows, satisfy the range.
bool TakesNan(const ColumnRange& range) {
  const auto type = TypeOf(range);
  if (type == nullptr || !arrow::is_floating(type->id())) return false;
  return range.most == nullptr || IsNan(*range.most);
}

bool MayMatch(const ColumnRange& range, const KnownValues& known) {
  if (range.is_null) return known.may_be_null;
  if (!known.may_have_value) return false;
  if (range.least != nullptr && known.max != nullptr && !TakesNan(range)) {
    const auto order = CompareValues(*known.max, *range.least);
    if (order < 0 || (order == 0 && range.above)) return false;
  }
  if (range.most != nullptr && known.min != nullptr) {
    const auto order = CompareValues(*known.min, *range.most);
    if (order > 0 || (order == 0 && range.below)) return false;
  }
  return true;
}

// Nothing: not a partition column.
std::optional<KnownValues> FromPartition(const DataFile& file, const ColumnRange& range) {
  const auto found = std::ranges::find(file.partition_values, range.column,
                                       [](const auto& value) { return value.first; });
  if (found == file.partition_values.end()) return std::nullopt;
  const auto& text = found->second;
  KnownValues known;
  known.may_have_value = text && !text->empty();
  known.may_be_null = !known.may_have_value;
  const auto type = TypeOf(range);
  if (type == nullptr || !known.may_have_value) return known;
  known.min = known.max = ParsePartitionValue(text, type).ValueOr(nullptr);
  return known;
}

void CountNulls(std::optional<int64_t> nulls, std::optional<int64_t> rows, KnownValues* known) {
  if (!nulls) return;
  known->may_be_null = *nulls != 0;
  known->may_have_value = !rows || *nulls != *rows;
}

std::optional<int64_t> NumberAt(const JsonTree& statistics, const std::vector<std::string>& path) {
  const JsonTree* found = statistics.Find(path);
  return found == nullptr ? std::nullopt : ParseWhole<int64_t>(found->scalar());
}

std::shared_ptr<Scalar> BoundAt(const JsonTree& statistics, const char* bounds,
                                const ColumnRange& range, bool is_max) {
  const JsonTree* found = statistics.Find({bounds, range.column});
  const auto type = TypeOf(range);
  if (found == nullptr || found->is_object() || type == nullptr) return nullptr;
  return ParseBoundJson(found->scalar(), type, is_max);
}

KnownValues FromStatistics(const JsonTree& statistics, const ColumnRange& range) {
  KnownValues known;
  CountNulls(NumberAt(statistics, {"nullCount", range.column}),
             NumberAt(statistics, {"numRecords"}), &known);
  known.min = BoundAt(statistics, "minValues", range, /*is_max=*/false);
  known.max = BoundAt(statistics, "maxValues", range, /*is_max=*/true);
  return known;
}

// What row groups of a file are asked for: the column of each range, as the range's type.
class AskedColumns {
 public:
  void Ask(const ColumnRange& range) {
    const auto type = TypeOf(range);
    places_.emplace(&range, columns_.size());
    ColumnFacts& column = columns_.emplace_back();
    column.path = {range.column};
    column.type = type != nullptr ? type : arrow::null();
  }

  // Nothing is known about a column of another type, or if statistics cannot be decoded. The reader
  // reports values that it cannot decode.
  void Read(const parquet::FileMetaData& footer, int row_group) {
    known_.assign(columns_.size(), KnownValues());
    std::vector<ColumnFacts> columns = columns_;
    if (!FillFromRowGroup(footer, row_group, &columns).ok()) return;
    for (size_t i = 0; i < columns.size(); ++i) {
      CountNulls(columns[i].null_count, footer.RowGroup(row_group)->num_rows(), &known_[i]);
      known_[i].min = columns[i].min;
      known_[i].max = columns[i].max;
    }
  }
  const KnownValues& Of(const ColumnRange& range) const { return known_[places_.at(&range)]; }

 private:
  std::map<const ColumnRange*, size_t> places_;
  std::vector<ColumnFacts> columns_;
  std::vector<KnownValues> known_;  // Of the row group that was read last.
};

}  // namespace

FilePredicate::FilePredicate(ColumnRange range) : kind_(Kind::kRange), range_(std::move(range)) {}

FilePredicate FilePredicate::AllOf(std::vector<FilePredicate> parts) {
  FilePredicate all;
  all.parts_ = std::move(parts);
  return all;
}

FilePredicate FilePredicate::AnyOf(std::vector<FilePredicate> parts) {
  FilePredicate any;
  any.kind_ = Kind::kAnyOf;
  any.parts_ = std::move(parts);
  return any;
}

// `find` returns what is known of the range's column.
template <typename Find>
bool FilePredicate::MayMatchWhere(const Find& find) const {
  const auto may_match = [&find](const FilePredicate& part) { return part.MayMatchWhere(find); };
  switch (kind_) {
    case Kind::kRange:
      return lake::MayMatch(range_, find(range_));
    case Kind::kAllOf:
      return std::ranges::all_of(parts_, may_match);
    case Kind::kAnyOf:
      return std::ranges::any_of(parts_, may_match);
  }
  return true;
}

template <typename Visit>
void FilePredicate::VisitRanges(const Visit& visit) const {
  if (kind_ == Kind::kRange) visit(range_);
  for (const FilePredicate& part : parts_) part.VisitRanges(visit);
}

bool FilePredicate::MayMatch(const DataFile& file) const {
  bool decided = true;  // By partition values alone.
  const auto by_partition = [&](const ColumnRange& range) {
    auto known = FromPartition(file, range);
    decided = decided && known.has_value();
    return known ? *std::move(known) : KnownValues();
  };
  // First without the statistics, whose parsing takes the time.
  if (!MayMatchWhere(by_partition)) return false;
  if (decided) return true;
  const auto statistics = JsonTree::ParseObject(file.statistics);
  if (!statistics.ok()) return true;
  return MayMatchWhere([&](const ColumnRange& range) {
    const auto known = FromPartition(file, range);
    return known ? *known : FromStatistics(*statistics, range);
  });
}

std::vector<int> FilePredicate::RowGroups(const DataFile& file,
                                          const parquet::FileMetaData& footer) const {
  AskedColumns asked;
  VisitRanges([&](const ColumnRange& range) { asked.Ask(range); });
  std::vector<int> row_groups;
  for (int i = 0; i < footer.num_row_groups(); ++i) {
    asked.Read(footer, i);
    const bool may_match = MayMatchWhere([&](const ColumnRange& range) {
      const auto known = FromPartition(file, range);
      return known ? *known : asked.Of(range);
    });
    if (may_match) row_groups.push_back(i);
  }
  return row_groups;
}

}  // namespace shopstream::lake
