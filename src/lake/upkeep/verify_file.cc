#include "lake/upkeep/verify_file.h"

#include <arrow/scalar.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/decimal.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "base/format.h"
#include "base/json.h"
#include "lake/parquet/column_statistics.h"
#include "lake/parquet/partition_path.h"
#include "lake/parquet/stored_column.h"
#include "lake/parquet/value_facts.h"
#include "model/calendar.h"

namespace shopstream::lake {
namespace {

using arrow::Scalar;
using arrow::internal::checked_cast;
using nlohmann::json;

// Decimals pass through JSON numbers, which readers parse as doubles.
constexpr double kDoubleSlack = 1e-12;

// How a bound in the log relates to the value it should bound.
enum class Bound { kHolds, kBroken, kNoValue };

template <typename T>
Bound Compare(const T& bound, const T& value, bool is_max) {
  return (is_max ? bound < value : value < bound) ? Bound::kBroken : Bound::kHolds;
}

Bound CompareNumbers(double bound, double value, bool is_max) {
  const double slack = std::isinf(value) ? 0 : std::abs(value) * kDoubleSlack;
  return Compare(is_max ? bound + slack : bound - slack, value, is_max);
}

std::optional<int64_t> AsInt(const Scalar& value) {
  switch (value.type->id()) {
    case arrow::Type::BOOL:
      return checked_cast<const arrow::BooleanScalar&>(value).value ? 1 : 0;
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

// The log has dates and timestamps as text; a timestamp's maximum may be cut to milliseconds.
Bound CompareTimes(const std::string& bound, const Scalar& value, bool is_max) {
  const auto parsed = ParsePartitionValue(bound, value.type);
  if (!parsed.ok() || !(*parsed)->is_valid) return Bound::kNoValue;
  const bool is_timestamp = value.type->id() == arrow::Type::TIMESTAMP;
  const int64_t slack = is_max && is_timestamp ? kMicrosPerMilli - 1 : 0;
  return Compare(*AsInt(**parsed) + slack, *AsInt(value), is_max);
}

// Numbers that JSON cannot represent are strings in the log. NaN comes from Spark, where it is the
// greatest value.
std::optional<double> NamedNumber(const json& bound) {
  if (!bound.is_string()) return std::nullopt;
  if (bound == "Infinity" || bound == "NaN") return std::numeric_limits<double>::infinity();
  if (bound == "-Infinity") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

Bound CheckBound(const json& bound, const Scalar& value, bool is_max) {
  switch (value.type->id()) {
    case arrow::Type::BOOL:
      if (!bound.is_boolean()) return Bound::kNoValue;
      return Compare<int64_t>(bound.get<bool>(), *AsInt(value), is_max);
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
    if (const auto named = NamedNumber(bound)) return Compare(*named, *number, is_max);
    if (!bound.is_number()) return Bound::kNoValue;
    auto told = bound.get<double>();
    // Writers give as many digits as a float needs; readers round them to a float again.
    if (value.type->id() == arrow::Type::FLOAT) told = static_cast<float>(told);
    return CompareNumbers(told, *number, is_max);
  }
  return Bound::kHolds;  // Readers use no bounds of other types.
}

// Whether readers can parse a bound as a value of the column at all.
bool IsBoundOf(const arrow::DataType& type, const json& bound) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return bound.is_boolean();
    case arrow::Type::STRING:
      return bound.is_string();
    case arrow::Type::DATE32:
    case arrow::Type::TIMESTAMP:
      return bound.is_string() &&
             ParsePartitionValue(bound.get<std::string>(), type.GetSharedPtr()).ok();
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
      return bound.is_number() || NamedNumber(bound);
    case arrow::Type::DECIMAL128:
      return bound.is_number();
    default:
      return !arrow::is_integer(type.id()) || bound.is_number();
  }
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

void CheckColumn(const json& statistics, const ColumnFacts& facts,
                 std::vector<std::string>* reasons) {
  const std::string column = "column " + facts.DottedPath();
  const json* nulls = Member(statistics, "nullCount", facts.path);
  if (nulls != nullptr && facts.null_count && *nulls != *facts.null_count) {
    reasons->push_back(column + " has " + std::to_string(*facts.null_count) +
                       " nulls, the log says " + nulls->dump());
  }
  for (const bool is_max : {false, true}) {
    const json* bound = Member(statistics, is_max ? "maxValues" : "minValues", facts.path);
    const auto& value = is_max ? facts.max : facts.min;
    if (bound == nullptr) continue;
    if (!IsBoundOf(*facts.type, *bound)) {
      reasons->push_back(column + ": the log says " + (is_max ? "maximum " : "minimum ") +
                         bound->dump() + ", which is not of type " + facts.type->ToString());
      continue;
    }
    if (value == nullptr || !value->is_valid) continue;
    const Bound verdict = CheckBound(*bound, *value, is_max);
    if (verdict == Bound::kHolds) continue;
    const std::string name = is_max ? "maximum" : "minimum";
    reasons->push_back(column + ": the log says " + name + " " + bound->dump() +
                       (verdict == Bound::kNoValue
                            ? ", which is not of type " + value->type->ToString()
                            : ", the file has " + value->ToString()));
  }
  const json* max = Member(statistics, "maxValues", facts.path);
  if (facts.has_nan && max != nullptr && *max != "NaN") {
    reasons->push_back(column + " has NaN, which the log's maximum " + max->dump() +
                       " hides from readers");
  }
}

void CheckStatistics(const DataFile& file, const std::vector<ColumnFacts>& facts,
                     std::vector<std::string>* reasons) {
  if (file.statistics.empty()) return;
  const json statistics = ParseJson(file.statistics);
  if (!statistics.is_object()) {
    reasons->push_back("its statistics in the log are not a JSON object");
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

// Compares a footer's claims about a column with its values.
void CheckFooter(const ColumnFacts& footer, const ColumnFacts& values,
                 std::vector<std::string>* reasons) {
  const std::string column = "column " + values.DottedPath();
  if (footer.null_count && *footer.null_count != *values.null_count) {
    reasons->push_back(column + " has " + std::to_string(*values.null_count) +
                       " nulls, its footer says " + std::to_string(*footer.null_count));
  }
  if (footer.min != nullptr && values.min != nullptr && Less(*values.min, *footer.min)) {
    reasons->push_back(column + ": its footer says minimum " + footer.min->ToString() +
                       ", it has " + values.min->ToString());
  }
  if (footer.max != nullptr && values.max != nullptr && Less(*footer.max, *values.max)) {
    reasons->push_back(column + ": its footer says maximum " + footer.max->ToString() +
                       ", it has " + values.max->ToString());
  }
}

// The facts of the file's columns, from their values. `rows`: their number; unchanged if the file
// has none of the columns.
Result<std::vector<ColumnFacts>> FactsFromValues(parquet::arrow::FileReader* reader,
                                                 const arrow::Schema& schema,
                                                 const PartitionValues& partition, int64_t* rows) {
  const auto metadata = reader->parquet_reader()->metadata();
  std::vector<ColumnFacts> facts;
  for (const auto& field : schema.fields()) {
    // Partition columns and columns added later have no values in the file.
    const auto leaves = LeavesOf(*metadata, {field}, partition);
    if (leaves.empty()) continue;
    ValueFacts column(*field);
    *rows = 0;
    for (int group = 0; group < reader->num_row_groups(); ++group) {
      ARROW_ASSIGN_OR_RAISE(const auto stored, reader->ReadRowGroup(group, leaves));
      *rows += stored->num_rows();
      ARROW_ASSIGN_OR_RAISE(const auto values,
                            ColumnOf(*field, stored->column(0), partition, stored->num_rows()));
      ARROW_RETURN_NOT_OK(column.Add(*values));
    }
    facts.insert(facts.end(), column.columns().begin(), column.columns().end());
  }
  return facts;
}

Result<FileCheck> Check(ObjectStore* store, const std::string& path, const DataFile& file,
                        const arrow::Schema& schema, bool deep) {
  ARROW_ASSIGN_OR_RAISE(auto input, store->OpenInput(path));
  ARROW_ASSIGN_OR_RAISE(const auto reader, OpenDataFile(std::move(input)));
  const auto metadata = reader->parquet_reader()->metadata();
  FileCheck check;
  check.rows = metadata->num_rows();
  std::vector<ColumnFacts> facts = ColumnsWithStatistics(schema, file.partition_values);
  ARROW_RETURN_NOT_OK(FillFromFooter(*metadata, &facts));
  int64_t rows_read = check.rows;
  if (deep) {
    ARROW_ASSIGN_OR_RAISE(const auto values,
                          FactsFromValues(reader.get(), schema, file.partition_values, &rows_read));
    for (const ColumnFacts& column : values) {
      const auto footer = std::find_if(facts.begin(), facts.end(), [&](const ColumnFacts& other) {
        return other.path == column.path;
      });
      if (footer != facts.end()) CheckFooter(*footer, column, &check.reasons);
    }
    ReplaceFacts(values, &facts);
  }
  if (rows_read != check.rows) {
    check.reasons.push_back("its footer says " + Counted(check.rows, "row") + ", it has " +
                            std::to_string(rows_read));
  }
  if (file.rows >= 0 && file.rows != rows_read) {
    check.reasons.push_back("it has " + Counted(rows_read, "row") + ", the log says " +
                            std::to_string(file.rows));
  }
  CheckStatistics(file, facts, &check.reasons);
  return check;
}

// The value that a path gives for a column, "column=value"; nothing if it does not.
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
  // The folder that this program would choose. A long value's folder does not show the value.
  const bool own_folder = file.path.starts_with(PartitionFolder(file.partition_values) + "/");
  for (const auto& [column, value] : file.partition_values) {
    const auto field = snapshot.schema()->GetFieldByName(column);
    if (field == nullptr) continue;  // Opening the table refuses it.
    const auto parsed = ParsePartitionValue(value, field->type());
    if (!parsed.ok()) {
      reasons.push_back("column " + column + ": " + parsed.status().message());
      continue;
    }
    if (own_folder) continue;
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
