#include "lake/verify_file.h"

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/cast.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/decimal.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "lake/column_statistics.h"
#include "lake/partition_path.h"

namespace shopstream::lake {
namespace {

using arrow::Scalar;
using arrow::internal::checked_cast;
using nlohmann::json;

constexpr int64_t kMicrosPerMilli = 1000;
// Decimals travel through JSON numbers, which readers take for doubles.
constexpr double kDoubleSlack = 1e-12;

// How a bound of the log stands to the value it shall bound.
enum class Bound { kHolds, kBroken, kNoValue };

template <typename T>
Bound Compare(const T& bound, const T& value, bool is_max) {
  return (is_max ? bound < value : value < bound) ? Bound::kBroken : Bound::kHolds;
}

Bound CompareNumbers(double bound, double value, bool is_max) {
  const double slack = std::abs(value) * kDoubleSlack;
  return Compare(is_max ? bound + slack : bound - slack, value, is_max);
}

std::optional<int64_t> AsInt(const Scalar& value) {
  switch (value.type->id()) {
    case arrow::Type::INT8:
      return checked_cast<const arrow::Int8Scalar&>(value).value;
    case arrow::Type::INT16:
      return checked_cast<const arrow::Int16Scalar&>(value).value;
    case arrow::Type::INT32:
      return checked_cast<const arrow::Int32Scalar&>(value).value;
    case arrow::Type::INT64:
      return checked_cast<const arrow::Int64Scalar&>(value).value;
    case arrow::Type::DATE32:
      return checked_cast<const arrow::Date32Scalar&>(value).value;
    case arrow::Type::TIMESTAMP:
      return checked_cast<const arrow::TimestampScalar&>(value).value;
    default:
      return std::nullopt;
  }
}

std::optional<double> AsDouble(const Scalar& value) {
  switch (value.type->id()) {
    case arrow::Type::FLOAT:
      return checked_cast<const arrow::FloatScalar&>(value).value;
    case arrow::Type::DOUBLE:
      return checked_cast<const arrow::DoubleScalar&>(value).value;
    case arrow::Type::DECIMAL128: {
      const auto& type = checked_cast<const arrow::Decimal128Type&>(*value.type);
      return checked_cast<const arrow::Decimal128Scalar&>(value).value.ToDouble(type.scale());
    }
    default:
      return std::nullopt;
  }
}

// Dates and timestamps stand in the log as text; a timestamp's maximum may be cut to milliseconds.
Bound CompareTimes(const std::string& bound, const Scalar& value, bool is_max) {
  const auto parsed = ParsePartitionValue(bound, value.type);
  if (!parsed.ok() || !(*parsed)->is_valid) return Bound::kNoValue;
  const bool is_timestamp = value.type->id() == arrow::Type::TIMESTAMP;
  const int64_t slack = is_max && is_timestamp ? kMicrosPerMilli - 1 : 0;
  return Compare(*AsInt(**parsed) + slack, *AsInt(value), is_max);
}

Bound CheckBound(const json& bound, const Scalar& value, bool is_max) {
  switch (value.type->id()) {
    case arrow::Type::STRING: {
      if (!bound.is_string()) return Bound::kNoValue;
      const std::string_view text = checked_cast<const arrow::StringScalar&>(value).view();
      return Compare(std::string_view(bound.get_ref<const std::string&>()), text, is_max);
    }
    case arrow::Type::DATE32:
    case arrow::Type::TIMESTAMP:
      if (!bound.is_string()) return Bound::kNoValue;
      return CompareTimes(bound.get_ref<const std::string&>(), value, is_max);
    default:
      break;
  }
  if (const auto integer = AsInt(value)) {
    if (!bound.is_number()) return Bound::kNoValue;
    return bound.is_number_integer()
               ? Compare(bound.get<int64_t>(), *integer, is_max)
               : CompareNumbers(bound.get<double>(), static_cast<double>(*integer), is_max);
  }
  if (const auto number = AsDouble(value)) {
    if (!bound.is_number()) return Bound::kNoValue;
    return CompareNumbers(bound.get<double>(), *number, is_max);
  }
  return Bound::kHolds;  // Of binary and boolean columns the log says nothing that readers use.
}

const json* Member(const json& statistics, const char* kind, const std::vector<std::string>& path) {
  const auto find = [](const json* object, const std::string& name) -> const json* {
    if (object == nullptr || !object->is_object()) return nullptr;
    const auto it = object->find(name);
    return it == object->end() || it->is_null() ? nullptr : &*it;
  };
  const json* found = find(&statistics, kind);
  for (const std::string& name : path) found = find(found, name);
  return found;
}

std::string Dotted(const std::vector<std::string>& path) {
  std::string text;
  for (const std::string& name : path) text += (text.empty() ? "" : ".") + name;
  return text;
}

void CheckColumn(const json& statistics, const ColumnFacts& facts,
                 std::vector<std::string>* reasons) {
  const std::string column = "column " + Dotted(facts.path);
  const json* nulls = Member(statistics, "nullCount", facts.path);
  if (nulls != nullptr && facts.null_count && *nulls != *facts.null_count) {
    reasons->push_back(column + " has " + std::to_string(*facts.null_count) +
                       " nulls, the log says " + nulls->dump());
  }
  for (const bool is_max : {false, true}) {
    const json* bound = Member(statistics, is_max ? "maxValues" : "minValues", facts.path);
    const auto& value = is_max ? facts.max : facts.min;
    if (bound == nullptr || value == nullptr || !value->is_valid) continue;
    const Bound verdict = CheckBound(*bound, *value, is_max);
    if (verdict == Bound::kHolds) continue;
    const std::string name = is_max ? "maximum" : "minimum";
    reasons->push_back(column + ": the log says " + name + " " + bound->dump() +
                       (verdict == Bound::kNoValue ? ", which is no " + value->type->ToString()
                                                   : ", the file has " + value->ToString()));
  }
}

void CheckStatistics(const DataFile& file, const std::vector<ColumnFacts>& facts,
                     std::vector<std::string>* reasons) {
  if (file.statistics.empty()) return;
  const json statistics = json::parse(file.statistics, nullptr, /*allow_exceptions=*/false);
  if (!statistics.is_object()) {
    reasons->push_back("its statistics in the log are no JSON object");
    return;
  }
  for (const ColumnFacts& column : facts) CheckColumn(statistics, column, reasons);
}

bool Less(const Scalar& a, const Scalar& b) {
  if (a.type->id() == arrow::Type::STRING) {
    return checked_cast<const arrow::StringScalar&>(a).view() <
           checked_cast<const arrow::StringScalar&>(b).view();
  }
  if (a.type->id() == arrow::Type::DECIMAL128) {
    return checked_cast<const arrow::Decimal128Scalar&>(a).value <
           checked_cast<const arrow::Decimal128Scalar&>(b).value;
  }
  if (const auto integer = AsInt(a)) return *integer < *AsInt(b);
  return *AsDouble(a) < *AsDouble(b);
}

// Where an array's least and greatest values stand; -1: it has none.
struct Extremes {
  int64_t min = -1;
  int64_t max = -1;
};

// `value(i)`: a value that can be ordered. NaN is neither less nor greater than anything.
template <typename Value>
Extremes FindExtremes(const arrow::Array& array, const Value& value) {
  Extremes found;
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) continue;
    const auto at = value(i);
    if (at != at) continue;
    if (found.min < 0 || at < value(found.min)) found.min = i;
    if (found.max < 0 || value(found.max) < at) found.max = i;
  }
  return found;
}

template <typename ArrayType>
Extremes ExtremesOf(const arrow::Array& array) {
  const auto& typed = checked_cast<const ArrayType&>(array);
  return FindExtremes(array, [&typed](int64_t i) { return typed.GetView(i); });
}

Extremes ExtremesOf(const arrow::Array& array) {
  switch (array.type_id()) {
    case arrow::Type::INT8:
      return ExtremesOf<arrow::Int8Array>(array);
    case arrow::Type::INT16:
      return ExtremesOf<arrow::Int16Array>(array);
    case arrow::Type::INT32:
      return ExtremesOf<arrow::Int32Array>(array);
    case arrow::Type::INT64:
      return ExtremesOf<arrow::Int64Array>(array);
    case arrow::Type::DATE32:
      return ExtremesOf<arrow::Date32Array>(array);
    case arrow::Type::TIMESTAMP:
      return ExtremesOf<arrow::TimestampArray>(array);
    case arrow::Type::FLOAT:
      return ExtremesOf<arrow::FloatArray>(array);
    case arrow::Type::DOUBLE:
      return ExtremesOf<arrow::DoubleArray>(array);
    case arrow::Type::STRING:
      return ExtremesOf<arrow::StringArray>(array);
    case arrow::Type::DECIMAL128: {
      const auto& typed = checked_cast<const arrow::Decimal128Array&>(array);
      return FindExtremes(array,
                          [&typed](int64_t i) { return arrow::Decimal128(typed.GetValue(i)); });
    }
    default:
      return {};  // Of binary and boolean columns the log says nothing that readers use.
  }
}

// Widens the facts by the values of one more row group.
Status Widen(const arrow::ChunkedArray& values, ColumnFacts* facts) {
  *facts->null_count += values.null_count();
  for (const auto& chunk : values.chunks()) {
    const Extremes found = ExtremesOf(*chunk);
    if (found.min < 0) continue;
    ARROW_ASSIGN_OR_RAISE(const auto min, chunk->GetScalar(found.min));
    ARROW_ASSIGN_OR_RAISE(const auto max, chunk->GetScalar(found.max));
    if (facts->min == nullptr || Less(*min, *facts->min)) facts->min = min;
    if (facts->max == nullptr || Less(*facts->max, *max)) facts->max = max;
  }
  return Status::OK();
}

Result<std::vector<ColumnFacts>> FactsFromValues(parquet::arrow::FileReader* reader,
                                                 const arrow::Schema& schema, int64_t* rows) {
  const auto metadata = reader->parquet_reader()->metadata();
  const parquet::schema::GroupNode& root = *metadata->schema()->group_node();
  std::vector<ColumnFacts> facts;
  for (const auto& field : schema.fields()) {
    // A partition column, one that was added later, or a nested one has no values to look at.
    const int index = root.FieldIndex(field->name());
    if (index < 0 || !root.field(index)->is_primitive()) continue;
    ColumnFacts column{.path = {field->name()}, .null_count = 0, .min = nullptr, .max = nullptr};
    *rows = 0;
    for (int group = 0; group < reader->num_row_groups(); ++group) {
      std::shared_ptr<arrow::ChunkedArray> values;
      ARROW_RETURN_NOT_OK(reader->RowGroup(group)->Column(index)->Read(&values));
      *rows += values->length();
      if (!values->type()->Equals(field->type())) {
        auto options = arrow::compute::CastOptions::Safe(field->type());
        options.allow_time_truncate = true;
        ARROW_ASSIGN_OR_RAISE(const auto cast, arrow::compute::Cast(values, options));
        values = cast.chunked_array();
      }
      ARROW_RETURN_NOT_OK(Widen(*values, &column));
    }
    facts.push_back(std::move(column));
  }
  return facts;
}

Result<FileCheck> Check(ObjectStore* store, const std::string& path, const DataFile& file,
                        const arrow::Schema& schema, bool deep) {
  ARROW_ASSIGN_OR_RAISE(auto input, store->OpenInput(path));
  ARROW_ASSIGN_OR_RAISE(const auto reader,
                        parquet::arrow::OpenFile(std::move(input), arrow::default_memory_pool()));
  const auto metadata = reader->parquet_reader()->metadata();
  FileCheck check;
  check.rows = metadata->num_rows();
  ARROW_ASSIGN_OR_RAISE(std::vector<ColumnFacts> facts, FactsFromFooter(*metadata));
  int64_t rows_read = check.rows;
  if (deep) {
    // Members of structs stay as the footer has them.
    std::erase_if(facts, [](const ColumnFacts& column) { return column.path.size() == 1; });
    ARROW_ASSIGN_OR_RAISE(const auto values, FactsFromValues(reader.get(), schema, &rows_read));
    facts.insert(facts.end(), values.begin(), values.end());
  }
  if (rows_read != check.rows) {
    check.reasons.push_back("its footer says " + std::to_string(check.rows) + " rows, it has " +
                            std::to_string(rows_read));
  }
  if (file.rows >= 0 && file.rows != rows_read) {
    check.reasons.push_back("it has " + std::to_string(rows_read) + " rows, the log says " +
                            std::to_string(file.rows));
  }
  CheckStatistics(file, facts, &check.reasons);
  return check;
}

// The value that a path spells out for a column, "column=value"; nothing where it does not.
std::optional<std::string> ValueInPath(const std::string& path, const std::string& column) {
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = path.find('/', begin);
    if (end == std::string::npos) break;  // The file's own name.
    const std::string part = path.substr(begin, end - begin);
    const size_t equals = part.find('=');
    if (equals != std::string::npos && DecodeLogPath(part.substr(0, equals)) == column) {
      return DecodeLogPath(part.substr(equals + 1));
    }
    begin = end + 1;
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> CheckPartition(const DataFile& file, const Snapshot& snapshot) {
  std::vector<std::string> reasons;
  for (const auto& [column, value] : file.partition_values) {
    const auto field = snapshot.schema()->GetFieldByName(column);
    if (field == nullptr) continue;  // Opening the table refuses that.
    const auto parsed = ParsePartitionValue(value, field->type());
    if (!parsed.ok()) {
      reasons.push_back("column " + column + ": " + parsed.status().message());
      continue;
    }
    auto in_path = ValueInPath(file.path, column);
    if (!in_path) continue;
    if (*in_path == "__HIVE_DEFAULT_PARTITION__") in_path->clear();
    const auto told = ParsePartitionValue(in_path, field->type());
    if (!told.ok() || !(*told)->Equals(**parsed)) {
      reasons.push_back("the log puts it at " + column + "=" + value.value_or("(null)") +
                        ", its path at " + column + "=" + *in_path);
    }
  }
  return reasons;
}

Result<FileCheck> CheckFileContent(ObjectStore* store, const std::string& table_path,
                                   const DataFile& file, const arrow::Schema& schema, bool deep) {
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  return Check(store, table_path + "/" + file.path, file, schema, deep);
  END_PARQUET_CATCH_EXCEPTIONS
}

}  // namespace shopstream::lake
