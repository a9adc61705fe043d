#include "refine/fixture_rows.h"

#include <arrow/array/array_primitive.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include "base/timestamp.h"
#include "model/calendar.h"
#include "refine/columns.h"
#include "tables/columns.h"

namespace shopstream::refine {
namespace {

constexpr int64_t kSecondMicros = 1'000'000;
constexpr char kContinued[] = "<<";

// What a purchase is unless its row says otherwise.
const std::map<std::string, std::string>& OrdinaryPurchase() {
  static const std::map<std::string, std::string> values = {{"user_id", "1"},
                                                            {"product_id", "P1"},
                                                            {"product_name", "Tea"},
                                                            {"quantity", "1"},
                                                            {"amount", "1"},
                                                            {"currency", "USD"},
                                                            {"timestamp", "2025-10-24T10:00:00Z"},
                                                            {kRegion, "EU"},
                                                            {tables::kTopic, "purchases"},
                                                            {tables::kTopicId, "topic"},
                                                            {tables::kPartition, "0"},
                                                            {tables::kSchemaId, "1"}};
  return values;
}

Result<std::shared_ptr<arrow::Scalar>> ParseScalar(const std::string& text,
                                                   const arrow::DataType& type) {
  const auto shared = type.GetSharedPtr();
  if (type.id() == arrow::Type::TIMESTAMP) {
    ARROW_ASSIGN_OR_RAISE(const int64_t millis, ParseTimestamp(text));
    return std::make_shared<arrow::TimestampScalar>(millis * 1000, shared);
  }
  if (type.id() == arrow::Type::DATE32) {
    ARROW_ASSIGN_OR_RAISE(const int64_t millis, ParseTimestamp(text));
    return std::make_shared<arrow::Date32Scalar>(
        static_cast<int32_t>(FloorDiv(millis, kMillisPerDay)));
  }
  if (type.id() == arrow::Type::DECIMAL128) {
    const int32_t scale_of_type = static_cast<const arrow::Decimal128Type&>(type).scale();
    arrow::Decimal128 value;
    int32_t precision = 0, scale = 0;
    ARROW_RETURN_NOT_OK(arrow::Decimal128::FromString(text, &value, &precision, &scale));
    ARROW_ASSIGN_OR_RAISE(value, value.Rescale(scale, scale_of_type));
    return std::make_shared<arrow::Decimal128Scalar>(value, shared);
  }
  return arrow::Scalar::Parse(shared, text);
}

Result<std::shared_ptr<arrow::Array>> OneRow(std::string text, const arrow::DataType& type) {
  for (const char* special : {".nan", ".inf", "-.inf"}) {  // As YAML writes them.
    if (text == special && type.id() == arrow::Type::DOUBLE) text.erase(text.find('.'), 1);
  }
  ARROW_ASSIGN_OR_RAISE(const auto scalar, ParseScalar(text, type));
  return arrow::MakeArrayFromScalar(*scalar, 1);
}

// The rows of a list, column by column.
class RowsReader {
 public:
  RowsReader(const YamlReader& yaml, const YAML::Node& rows)
      : yaml_(yaml), rows_(rows), schema_(PurchaseBronzeSchema()), columns_(schema_->num_fields()) {
    known_ = schema_->field_names();
    known_.emplace_back(kContinued);
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Read() {
    for (const YAML::Node& row : rows_) {
      ARROW_RETURN_NOT_OK(yaml_.CheckKeys(row, known_, "a row"));
      ARROW_RETURN_NOT_OK(AddRow(row));
    }
    arrow::ArrayVector arrays;
    for (int i = 0; i < schema_->num_fields(); ++i) {
      if (columns_[i].empty()) {
        ARROW_ASSIGN_OR_RAISE(arrays.emplace_back(),
                              arrow::MakeEmptyArray(schema_->field(i)->type()));
      } else {
        ARROW_ASSIGN_OR_RAISE(arrays.emplace_back(), arrow::Concatenate(columns_[i]));
      }
    }
    const auto count = static_cast<int64_t>(rows_.size());
    return arrow::RecordBatch::Make(schema_, count, std::move(arrays));
  }

 private:
  Status AddRow(const YAML::Node& row) {
    for (int i = 0; i < schema_->num_fields(); ++i) {
      const auto& field = *schema_->field(i);
      const YAML::Node value = FixtureValue(row, field.name());
      if (value) {
        ARROW_ASSIGN_OR_RAISE(auto parsed,
                              ParseFixtureValue(yaml_, value, field.name(), *field.type()));
        columns_[i].push_back(std::move(parsed));
      } else {
        ARROW_ASSIGN_OR_RAISE(auto usual, Usual(field));
        columns_[i].push_back(std::move(usual));
      }
    }
    ++row_;
    return Status::OK();
  }

  // A column that the row does not name. Those of times follow the event's.
  Result<std::shared_ptr<arrow::Array>> Usual(const arrow::Field& field) {
    const std::string& name = field.name();
    if (name == kEventId) return OneRow("e" + std::to_string(row_), *field.type());
    if (name == tables::kOffset) return OneRow(std::to_string(row_), *field.type());
    const auto found = OrdinaryPurchase().find(name);
    if (found != OrdinaryPurchase().end()) return OneRow(found->second, *field.type());
    const auto& event_time = columns_[schema_->GetFieldIndex("timestamp")].back();
    const auto& times = static_cast<const arrow::TimestampArray&>(*event_time);
    if (times.IsNull(0)) return arrow::MakeArrayOfNull(field.type(), 1);
    const int64_t later = times.Value(0) + (name == tables::kIngestedAt ? 2 : 1) * kSecondMicros;
    if (name != tables::kDate) {
      return arrow::MakeArrayFromScalar(arrow::TimestampScalar(later, field.type()), 1);
    }
    const int64_t day = FloorDiv(times.Value(0), kMicrosPerDay);
    return arrow::MakeArrayFromScalar(arrow::Date32Scalar(static_cast<int32_t>(day)), 1);
  }

  const YamlReader& yaml_;
  const YAML::Node& rows_;
  const std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::string> known_;
  std::vector<arrow::ArrayVector> columns_;
  int64_t row_ = 0;
};

}  // namespace

Result<std::shared_ptr<arrow::Array>> ParseFixtureValue(const YamlReader& yaml,
                                                        const YAML::Node& node,
                                                        const std::string& column,
                                                        const arrow::DataType& type) {
  if (node.IsNull()) return arrow::MakeArrayOfNull(type.GetSharedPtr(), 1);
  if (!node.IsScalar()) return yaml.Error(node, "'", column, "' must be one value");
  auto row = OneRow(node.Scalar(), type);
  if (row.ok()) return row;
  return yaml.Error(node, "'", node.Scalar(), "' is not a value of ", column, " (", type.ToString(),
                    ")");
}

YAML::Node FixtureValue(const YAML::Node& row, const std::string& key) {
  const YAML::Node own = row[key];
  if (own) return own;
  const YAML::Node other = row[kContinued];
  return other ? FixtureValue(other, key) : YAML::Node(YAML::NodeType::Undefined);
}

std::vector<std::string> FixtureKeys(const YAML::Node& row) {
  std::vector<std::string> keys;
  const YAML::Node other = row[kContinued];
  if (other) keys = FixtureKeys(other);
  for (const auto& entry : row) {
    std::string key = entry.first.Scalar();
    if (key != kContinued && std::ranges::find(keys, key) == keys.end()) {
      keys.push_back(std::move(key));
    }
  }
  return keys;
}

Result<std::shared_ptr<arrow::RecordBatch>> ParseBronzeRows(const YamlReader& yaml,
                                                            const YAML::Node& rows) {
  if (!rows.IsSequence()) return yaml.Error(rows, "'input' is a list of rows");
  return RowsReader(yaml, rows).Read();
}

}  // namespace shopstream::refine
