#include "generate/purchase_mapper.h"

#include <arrow/array/builder_base.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/util.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/datum.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/table_file.h"
#include "base/timestamp.h"
#include "generate/row_filter.h"
#include "generate/value_reader.h"
#include "model/purchase_event.h"

namespace shopstream::generate {
namespace {

constexpr const char* kTime = "timestamp";
constexpr const char* kCurrency = "currency";

// "SHREDDED CHEESE 8 OZ" -> "Shredded Cheese 8 OZ": words of one or two letters are mostly units.
std::string ToTitleCase(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  std::string title(text);
  for (size_t begin = 0; begin < title.size();) {
    size_t end = begin;
    while (end < title.size() && is_letter(title[end])) ++end;
    for (size_t i = begin + 1; end - begin > 2 && i < end; ++i) {
      if (title[i] <= 'Z') title[i] = static_cast<char>(title[i] - 'A' + 'a');
    }
    begin = end + 1;
  }
  return title;
}

// Fields that need others come after them; within a stage, those that leave out rows come first.
int StageOf(const FieldRule& rule) {
  const int stage = rule.rate ? 2 : rule.field.empty() ? 0 : 1;
  return 2 * stage + (rule.skip_missing ? 0 : 1);
}

bool MayBeMissing(const FieldRule& rule) { return rule.default_value || rule.skip_missing; }

bool IsMissing(const arrow::Array& column, int64_t row) {
  if (column.type_id() != arrow::Type::STRING) return column.IsNull(row);
  return !ValueAt(static_cast<const arrow::StringArray&>(column), row);
}

// The events of one batch of rows.
class EventMaker {
 public:
  EventMaker(const SourceMapping& mapping, SourceRows* rows)
      : mapping_(mapping), rows_(*rows), keep_(static_cast<size_t>(rows->size()), true) {}

  Result<std::shared_ptr<arrow::RecordBatch>> MakeAll(SkippedRows* skipped) {
    const std::shared_ptr<arrow::Schema> schema = PurchaseEventSchema();
    std::vector<int> order(static_cast<size_t>(schema->num_fields()));
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      return StageOf(RuleOf(*schema->field(a))) < StageOf(RuleOf(*schema->field(b)));
    });
    arrow::ArrayVector columns(order.size());
    for (const int i : order) {
      ARROW_ASSIGN_OR_RAISE(columns[static_cast<size_t>(i)], Make(*schema->field(i), skipped));
    }
    return Kept(arrow::RecordBatch::Make(schema, rows_.size(), std::move(columns)));
  }

  Result<std::shared_ptr<arrow::TimestampArray>> MakeTimes() {
    const auto field = PurchaseEventSchema()->GetFieldByName(kTime);
    SkippedRows uncounted;
    ARROW_ASSIGN_OR_RAISE(const ArrayPtr times, Make(*field, &uncounted));
    ARROW_ASSIGN_OR_RAISE(const auto kept, Kept(arrow::RecordBatch::Make(arrow::schema({field}),
                                                                         rows_.size(), {times})));
    return std::static_pointer_cast<arrow::TimestampArray>(kept->column(0));
  }

 private:
  const FieldRule& RuleOf(const arrow::Field& field) const {
    return mapping_.fields.at(field.name());
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Kept(
      std::shared_ptr<arrow::RecordBatch> events) const {
    if (std::find(keep_.begin(), keep_.end(), false) == keep_.end()) return events;
    ARROW_ASSIGN_OR_RAISE(const ArrayPtr mask, ToMask(keep_));
    ARROW_ASSIGN_OR_RAISE(const arrow::Datum kept, arrow::compute::Filter(events, mask));
    return kept.record_batch();
  }

  // The field's column, without missing values in the rows that are kept.
  Result<ArrayPtr> Make(const arrow::Field& field, SkippedRows* skipped) {
    const FieldRule& rule = RuleOf(field);
    ARROW_ASSIGN_OR_RAISE(ArrayPtr column, MakeColumn(rule, field));
    if (rule.default_value) {
      ARROW_ASSIGN_OR_RAISE(column, FillIn(column, *rule.default_value, field));
    }
    for (int64_t row = 0; row < rows_.size(); ++row) {
      if (!keep_[static_cast<size_t>(row)]) continue;
      if (rule.skip_missing ? !IsMissing(*column, row) : column->IsValid(row)) continue;
      if (!rule.skip_missing) {
        ARROW_ASSIGN_OR_RAISE(const std::string empty, EmptyColumn(rule, row));
        return Status::Invalid(rows_.At(row), empty, ": there is no value for ", field.name(),
                               "; give it a 'default', or leave out such rows with "
                               "'missing: skip'");
      }
      keep_[static_cast<size_t>(row)] = false;
      ++skipped->missing[field.name()];
    }
    made_[field.name()] = column;
    return column;
  }

  // ", column c", if the field lacks this column's value: of several texts, of the last one.
  Result<std::string> EmptyColumn(const FieldRule& rule, int64_t row) {
    std::vector<ColumnRef> columns = rule.factors;
    if (rule.column) columns.push_back(*rule.column);
    if (!rule.texts.empty()) columns = rule.texts.back().columns;
    for (const ColumnRef& ref : columns) {
      ARROW_ASSIGN_OR_RAISE(const TextPtr text, rows_.Text(ref));
      if (!ValueAt(*text, row)) return ", column " + mapping_.NameOf(ref);
    }
    return "";
  }

  Result<ArrayPtr> MakeColumn(const FieldRule& rule, const arrow::Field& field) {
    switch (rule.kind) {
      case RuleKind::kColumn:
        return rule.rate ? Amounts(rule, {*rule.column}, field) : Convert(rule, field);
      case RuleKind::kValue:
        return Constant(rule.value, field);
      case RuleKind::kLookUp:
        return LookUp(rule, field.name());
      case RuleKind::kProduct:
        return Amounts(rule, rule.factors, field);
      case RuleKind::kText:
      case RuleKind::kUuid5:
        break;
    }
    ARROW_ASSIGN_OR_RAISE(const ArrayPtr texts, Compose(rule));
    return rule.hash ? HashTexts(static_cast<const arrow::StringArray&>(*texts)) : texts;
  }

  Result<ArrayPtr> Convert(const FieldRule& rule, const arrow::Field& field) {
    if (field.type()->id() == arrow::Type::TIMESTAMP) {
      return ReadTimes(&rows_, *rule.column, rule.time, field, keep_);
    }
    if (!rule.hash && field.type()->id() != arrow::Type::STRING) {
      return ReadNumbers(&rows_, *rule.column, field, keep_);
    }
    ARROW_ASSIGN_OR_RAISE(const TextPtr texts, rows_.Text(*rule.column));
    return rule.hash ? HashTexts(*texts) : Result<ArrayPtr>(texts);
  }

  Result<ArrayPtr> Amounts(const FieldRule& rule, const std::vector<ColumnRef>& factors,
                           const arrow::Field& field) {
    if (!rule.rate) return ReadAmounts(&rows_, factors, nullptr, nullptr, nullptr, field, keep_);
    TextPtr by;
    if (rule.rate->column) {
      ARROW_ASSIGN_OR_RAISE(by, rows_.Text(*rule.rate->column));
    } else if (!rule.rate->field.empty()) {
      by = std::static_pointer_cast<arrow::StringArray>(made_.at(rule.rate->field));
    }
    const auto& currency = static_cast<const arrow::StringArray&>(*made_.at(kCurrency));
    return ReadAmounts(&rows_, factors, &*rule.rate, by.get(), &currency, field, keep_);
  }

  Result<std::shared_ptr<arrow::Scalar>> ScalarOf(const std::string& text,
                                                  const arrow::Field& field) const {
    const auto wrong = [&](const Status& status) {
      return Status::Invalid(mapping_.path, ": the value of ", field.name(), ": ",
                             status.message());
    };
    if (field.type()->id() == arrow::Type::TIMESTAMP) {
      const auto millis = ParseTimestamp(text);
      if (!millis.ok()) return wrong(millis.status());
      return std::make_shared<arrow::TimestampScalar>(*millis, field.type());
    }
    ARROW_ASSIGN_OR_RAISE(const ArrayPtr one,
                          arrow::MakeArrayFromScalar(arrow::StringScalar(text), 1));
    const auto value = arrow::compute::Cast(*one, field.type());
    if (!value.ok()) return wrong(value.status());
    return (*value)->GetScalar(0);
  }

  Result<ArrayPtr> Constant(const std::string& text, const arrow::Field& field) const {
    ARROW_ASSIGN_OR_RAISE(const auto scalar, ScalarOf(text, field));
    return arrow::MakeArrayFromScalar(*scalar, rows_.size());
  }

  Result<ArrayPtr> FillIn(const ArrayPtr& column, const std::string& text,
                          const arrow::Field& field) const {
    ARROW_ASSIGN_OR_RAISE(const auto scalar, ScalarOf(text, field));
    ARROW_ASSIGN_OR_RAISE(const auto builder, arrow::MakeBuilder(field.type()));
    for (int64_t row = 0; row < column->length(); ++row) {
      ARROW_RETURN_NOT_OK(IsMissing(*column, row)
                              ? builder->AppendScalar(*scalar)
                              : builder->AppendArraySlice(*column->data(), row, 1));
    }
    return builder->Finish();
  }

  Result<ArrayPtr> LookUp(const FieldRule& rule, const std::string& field) {
    TextPtr from;
    if (rule.column) {
      ARROW_ASSIGN_OR_RAISE(from, rows_.Text(*rule.column));
    } else {
      from = std::static_pointer_cast<arrow::StringArray>(made_.at(rule.field));
    }
    arrow::StringBuilder builder;
    for (int64_t row = 0; row < from->length(); ++row) {
      const auto value = ValueAt(*from, row);
      const bool skipped = !keep_[static_cast<size_t>(row)];
      if (skipped || (!value && MayBeMissing(rule) && !rule.values.contains(""))) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(const std::string key, LookUpKey(rule, value.value_or(""), row));
      const auto found = rule.values.find(key);
      if (found == rule.values.end() && !rule.otherwise) {
        return Status::Invalid(rows_.At(row), ": '", key, "' is not among the values of ", field,
                               "; add it to ", mapping_.path, ", or add an 'otherwise'");
      }
      ARROW_RETURN_NOT_OK(
          builder.Append(found == rule.values.end() ? *rule.otherwise : found->second));
    }
    return builder.Finish();
  }

  Result<std::string> LookUpKey(const FieldRule& rule, std::string_view value, int64_t row) {
    if (rule.modulo == 0) return std::string(value);
    int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc{} || end != value.data() + value.size()) {
      const std::string column = rule.column ? mapping_.NameOf(*rule.column) : rule.field;
      return Status::Invalid(rows_.At(row), ", column ", column, ": '", value,
                             "' is not a whole number, which modulo needs");
    }
    return std::to_string((number % rule.modulo + rule.modulo) % rule.modulo);
  }

  Result<ArrayPtr> Compose(const FieldRule& rule) {
    std::vector<std::vector<TextPtr>> columns;  // As rule.texts[].columns.
    for (const Template& text : rule.texts) {
      auto& of_text = columns.emplace_back();
      for (const ColumnRef& ref : text.columns) {
        ARROW_ASSIGN_OR_RAISE(of_text.emplace_back(), rows_.Text(ref));
      }
    }
    arrow::StringBuilder builder;
    std::string made;
    for (int64_t row = 0; row < rows_.size(); ++row) {
      bool complete = false;
      for (size_t i = 0; i < rule.texts.size() && !complete; ++i) {
        complete = Fill(rule.texts[i], columns[i], row, &made);
      }
      if (!complete) {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
        continue;
      }
      if (rule.title_case) made = ToTitleCase(made);
      if (rule.kind == RuleKind::kUuid5) made = ToString(MakeUuidV5(rule.name_space, made));
      ARROW_RETURN_NOT_OK(builder.Append(made));
    }
    return builder.Finish();
  }

  // False if a value is missing.
  static bool Fill(const Template& text, const std::vector<TextPtr>& columns, int64_t row,
                   std::string* made) {
    *made = text.literals[0];
    for (size_t i = 0; i < columns.size(); ++i) {
      const auto value = ValueAt(*columns[i], row);
      if (!value) return false;
      made->append(*value);
      made->append(text.literals[i + 1]);
    }
    return true;
  }

  const SourceMapping& mapping_;
  SourceRows& rows_;
  std::vector<bool> keep_;                // The row makes an event.
  std::map<std::string, ArrayPtr> made_;  // By field.
};

}  // namespace

PurchaseMapper::PurchaseMapper(const SourceMapping& mapping, JoinedFiles joined)
    : mapping_(mapping), joined_(std::move(joined)) {}

Result<std::unique_ptr<PurchaseMapper>> PurchaseMapper::Open(const SourceMapping& mapping) {
  ARROW_ASSIGN_OR_RAISE(JoinedFiles joined, JoinedFiles::Load(mapping));
  return std::unique_ptr<PurchaseMapper>(new PurchaseMapper(mapping, std::move(joined)));
}

Result<std::shared_ptr<arrow::RecordBatch>> PurchaseMapper::Map(
    std::shared_ptr<arrow::RecordBatch> rows, SkippedRows* skipped) const {
  SourceRows source(mapping_, joined_, std::move(rows));
  ARROW_ASSIGN_OR_RAISE(const int64_t filtered, KeepWhere(mapping_.where, &source));
  skipped->filtered += filtered;
  return EventMaker(mapping_, &source).MakeAll(skipped);
}

Result<std::shared_ptr<arrow::TimestampArray>> PurchaseMapper::Times(
    std::shared_ptr<arrow::RecordBatch> rows) const {
  SourceRows source(mapping_, joined_, std::move(rows));
  ARROW_RETURN_NOT_OK(KeepWhere(mapping_.where, &source).status());
  return EventMaker(mapping_, &source).MakeTimes();
}

}  // namespace shopstream::generate
