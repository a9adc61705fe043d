#include "generate/purchase_mapper.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_time.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/compute/cast.h>
#include <arrow/datum.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/timestamp.h"
#include "generate/table_file.h"
#include "model/purchase_event.h"

namespace shopstream::generate {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using TextPtr = std::shared_ptr<arrow::StringArray>;

const std::shared_ptr<arrow::DataType>& UtcMillis() {
  static const auto type = arrow::timestamp(arrow::TimeUnit::MILLI, "UTC");
  return type;
}

Result<ArrayPtr> CastTo(const ArrayPtr& column, const std::shared_ptr<arrow::DataType>& type) {
  auto options = arrow::compute::CastOptions::Safe(type);
  options.allow_time_truncate = true;  // Digits finer than milliseconds are dropped.
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum result, arrow::compute::Cast(column, options));
  return result.make_array();
}

Result<TextPtr> AsText(const ArrayPtr& column) {
  ARROW_ASSIGN_OR_RAISE(const ArrayPtr text, CastTo(column, arrow::utf8()));
  return std::static_pointer_cast<arrow::StringArray>(text);
}

// Nothing if it is null or empty: both are missing values.
std::optional<std::string_view> ValueAt(const arrow::StringArray& column, int64_t row) {
  if (row < 0 || column.IsNull(row) || column.value_length(row) == 0) return std::nullopt;
  return column.GetView(row);
}

Result<ArrayPtr> ParseTimes(const ArrayPtr& column, const std::string& where) {
  const auto& texts = static_cast<const arrow::StringArray&>(*column);
  arrow::TimestampBuilder builder(UtcMillis(), arrow::default_memory_pool());
  ARROW_RETURN_NOT_OK(builder.Reserve(texts.length()));
  for (int64_t row = 0; row < texts.length(); ++row) {
    if (texts.IsNull(row)) {
      builder.UnsafeAppendNull();
      continue;
    }
    const Result<int64_t> millis = ParseTimestamp(texts.GetView(row));
    if (!millis.ok()) return Status::Invalid(where, ": ", millis.status().message());
    builder.UnsafeAppend(*millis);
  }
  return builder.Finish();
}

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

}  // namespace

struct JoinedTable {
  std::map<std::string, TextPtr> columns;
  std::unordered_map<std::string_view, int64_t> row_by_key;  // Views into the key column.
};

namespace {

Result<std::unique_ptr<JoinedTable>> LoadJoinedTable(const Join& join,
                                                     const std::vector<std::string>& columns) {
  ARROW_ASSIGN_OR_RAISE(const TableFile file, TableFile::Open(join.file));
  ARROW_ASSIGN_OR_RAISE(const auto reader, file.Read(columns));
  std::vector<arrow::ArrayVector> parts(columns.size());
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
    if (batch == nullptr) break;
    for (size_t i = 0; i < columns.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(TextPtr text, AsText(batch->column(static_cast<int>(i))));
      parts[i].push_back(std::move(text));
    }
  }
  auto table = std::make_unique<JoinedTable>();
  for (size_t i = 0; i < columns.size(); ++i) {
    if (parts[i].empty()) return Status::Invalid(join.file, " has no rows");
    ARROW_ASSIGN_OR_RAISE(const ArrayPtr whole, arrow::Concatenate(parts[i]));
    table->columns[columns[i]] = std::static_pointer_cast<arrow::StringArray>(whole);
  }
  const arrow::StringArray& keys = *table->columns[join.key];
  for (int64_t row = 0; row < keys.length(); ++row) {
    const auto key = ValueAt(keys, row);
    if (key && !table->row_by_key.emplace(*key, row).second) {
      return Status::Invalid(join.file, ": ", join.key, " ", *key, " occurs in more than one row; ",
                             "the key of a join must be unique");
    }
  }
  return table;
}

// One batch being mapped: every function reads `rows` and names the row in messages.
class BatchMapping {
 public:
  BatchMapping(const SourceMapping& mapping,
               const std::vector<std::unique_ptr<JoinedTable>>& joined,
               const arrow::RecordBatch& rows, int64_t first_row)
      : mapping_(mapping), joined_(joined), rows_(rows), first_row_(first_row) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Run() {
    ARROW_RETURN_NOT_OK(MatchJoins());
    const std::shared_ptr<arrow::Schema> schema = PurchaseEventSchema();
    arrow::ArrayVector columns(schema->num_fields());
    // Fields looked up by another field come second.
    for (const bool by_field : {false, true}) {
      for (int i = 0; i < schema->num_fields(); ++i) {
        const std::string& name = schema->field(i)->name();
        const FieldRule& rule = mapping_.fields.at(name);
        if (rule.field.empty() == by_field) continue;
        ARROW_ASSIGN_OR_RAISE(columns[i], MakeColumn(rule, *schema->field(i)));
        ARROW_RETURN_NOT_OK(RefuseNulls(*columns[i], name));
        made_[name] = columns[i];
      }
    }
    return arrow::RecordBatch::Make(schema, rows_.num_rows(), std::move(columns));
  }

 private:
  std::string Where(int64_t row) const {
    return mapping_.file + ", row " + std::to_string(first_row_ + row + 1);
  }

  std::string WhereAll() const {
    return mapping_.file + ", rows " + std::to_string(first_row_ + 1) + " to " +
           std::to_string(first_row_ + rows_.num_rows());
  }

  Status RefuseNulls(const arrow::Array& column, const std::string& field) const {
    if (column.null_count() == 0) return Status::OK();
    int64_t row = 0;
    while (column.IsValid(row)) ++row;
    return Status::Invalid(Where(row), ": there is no value for ", field);
  }

  // The column of the main file, or of the joined row, as text.
  Result<const arrow::StringArray*> Text(const std::string& column) {
    TextPtr& text = texts_[column];
    if (text == nullptr) {
      ARROW_ASSIGN_OR_RAISE(text, AsText(rows_.GetColumnByName(column)));
    }
    return text.get();
  }

  Status MatchJoins() {
    for (size_t i = 0; i < mapping_.joins.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(const arrow::StringArray* on, Text(mapping_.joins[i].on));
      std::vector<int64_t>& matches = matches_.emplace_back(rows_.num_rows(), -1);
      for (int64_t row = 0; row < rows_.num_rows(); ++row) {
        const auto key = ValueAt(*on, row);
        const auto found = key ? joined_[i]->row_by_key.find(*key) : joined_[i]->row_by_key.end();
        if (found != joined_[i]->row_by_key.end()) matches[row] = found->second;
      }
    }
    return Status::OK();
  }

  Result<ArrayPtr> MakeColumn(const FieldRule& rule, const arrow::Field& field) {
    switch (rule.kind) {
      case RuleKind::kColumn:
        return Convert(rule.column, field);
      case RuleKind::kValue:
        return Constant(rule.value, field);
      case RuleKind::kLookUp:
        return LookUp(rule, field.name());
      case RuleKind::kText:
      case RuleKind::kUuid5:
        return Compose(rule);
    }
    return Status::UnknownError("rule of field ", field.name());
  }

  Result<ArrayPtr> Convert(const std::string& column, const arrow::Field& field) const {
    const ArrayPtr values = rows_.GetColumnByName(column);
    const std::string where = WhereAll() + ": column " + column + " as " + field.name();
    if (field.type()->id() == arrow::Type::TIMESTAMP) return ToUtcMillis(values, where);
    Result<ArrayPtr> converted = CastTo(values, field.type());
    if (converted.ok()) return converted;
    return Status::Invalid(where, ": ", converted.status().message());
  }

  Result<ArrayPtr> Constant(const std::string& text, const arrow::Field& field) const {
    ARROW_ASSIGN_OR_RAISE(const ArrayPtr one,
                          arrow::MakeArrayFromScalar(arrow::StringScalar(text), 1));
    Result<ArrayPtr> value = field.type()->id() == arrow::Type::TIMESTAMP
                                 ? ToUtcMillis(one, mapping_.path)
                                 : CastTo(one, field.type());
    if (!value.ok()) {
      return Status::Invalid(mapping_.path, ": the value of ", field.name(), ": ",
                             value.status().message());
    }
    ARROW_ASSIGN_OR_RAISE(const auto scalar, (*value)->GetScalar(0));
    return arrow::MakeArrayFromScalar(*scalar, rows_.num_rows());
  }

  Result<ArrayPtr> LookUp(const FieldRule& rule, const std::string& field) {
    const arrow::StringArray* from = nullptr;
    if (rule.field.empty()) {
      ARROW_ASSIGN_OR_RAISE(from, Text(rule.column));
    } else {
      from = static_cast<const arrow::StringArray*>(made_.at(rule.field).get());
    }
    arrow::StringBuilder builder;
    for (int64_t row = 0; row < from->length(); ++row) {
      const std::string_view value = ValueAt(*from, row).value_or("");
      ARROW_ASSIGN_OR_RAISE(const std::string key, LookUpKey(rule, value, row));
      const auto found = rule.values.find(key);
      if (found == rule.values.end() && !rule.otherwise) {
        return Status::Invalid(Where(row), ": '", key, "' is not among the values of ", field,
                               "; add it in ", mapping_.path, ", or an 'otherwise'");
      }
      ARROW_RETURN_NOT_OK(
          builder.Append(found == rule.values.end() ? *rule.otherwise : found->second));
    }
    return builder.Finish();
  }

  Result<std::string> LookUpKey(const FieldRule& rule, std::string_view value, int64_t row) const {
    if (rule.modulo == 0) return std::string(value);
    int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc{} || end != value.data() + value.size()) {
      return Status::Invalid(Where(row), ": column ", rule.column, ": '", value,
                             "' is not a whole number, which modulo needs");
    }
    return std::to_string((number % rule.modulo + rule.modulo) % rule.modulo);
  }

  Result<ArrayPtr> Compose(const FieldRule& rule) {
    std::vector<std::vector<const arrow::StringArray*>> columns;  // As rule.texts[].columns.
    for (const Template& text : rule.texts) {
      auto& of_text = columns.emplace_back();
      for (const ColumnRef& ref : text.columns) {
        ARROW_ASSIGN_OR_RAISE(of_text.emplace_back(), TextOf(ref));
      }
    }
    arrow::StringBuilder builder;
    std::string made;
    for (int64_t row = 0; row < rows_.num_rows(); ++row) {
      bool complete = false;
      for (size_t i = 0; i < rule.texts.size() && !complete; ++i) {
        complete = Fill(rule.texts[i], columns[i], row, &made);
      }
      if (!complete) {
        return Status::Invalid(Where(row), ": a value is missing for every text; end the list of ",
                               "texts in ", mapping_.path, " with one that is always complete");
      }
      if (rule.title_case) made = ToTitleCase(made);
      if (rule.kind == RuleKind::kUuid5) made = ToString(MakeUuidV5(rule.name_space, made));
      ARROW_RETURN_NOT_OK(builder.Append(made));
    }
    return builder.Finish();
  }

  Result<const arrow::StringArray*> TextOf(const ColumnRef& ref) {
    if (ref.join < 0) return Text(ref.column);
    return joined_[ref.join]->columns.at(ref.column).get();
  }

  // False if a value is missing.
  bool Fill(const Template& text, const std::vector<const arrow::StringArray*>& columns,
            int64_t row, std::string* made) const {
    *made = text.literals[0];
    for (size_t i = 0; i < columns.size(); ++i) {
      const int join = text.columns[i].join;
      const auto value = ValueAt(*columns[i], join < 0 ? row : matches_[join][row]);
      if (!value) return false;
      made->append(*value);
      made->append(text.literals[i + 1]);
    }
    return true;
  }

  const SourceMapping& mapping_;
  const std::vector<std::unique_ptr<JoinedTable>>& joined_;
  const arrow::RecordBatch& rows_;
  const int64_t first_row_;
  std::map<std::string, TextPtr> texts_;       // By column of the main file.
  std::map<std::string, ArrayPtr> made_;       // By field.
  std::vector<std::vector<int64_t>> matches_;  // [join][row]; -1: none.
};

}  // namespace

Result<std::shared_ptr<arrow::Array>> ToUtcMillis(const std::shared_ptr<arrow::Array>& column,
                                                  const std::string& where) {
  switch (column->type_id()) {
    case arrow::Type::STRING:
      return ParseTimes(column, where);
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
    case arrow::Type::TIMESTAMP: {
      // An instant has the same number with and without a zone: only the type's name changes.
      const auto zone = column->type_id() == arrow::Type::TIMESTAMP
                            ? static_cast<const arrow::TimestampType&>(*column->type()).timezone()
                            : "";
      ARROW_ASSIGN_OR_RAISE(const ArrayPtr millis,
                            CastTo(column, arrow::timestamp(arrow::TimeUnit::MILLI, zone)));
      const auto renamed = millis->data()->Copy();
      renamed->type = UtcMillis();
      return arrow::MakeArray(renamed);
    }
    default:
      return Status::Invalid(where, ": it is of type ", column->type()->ToString(),
                             ", but a time is a timestamp, a date or a text in ISO 8601");
  }
}

PurchaseMapper::PurchaseMapper(const SourceMapping& mapping) : mapping_(mapping) {}
PurchaseMapper::~PurchaseMapper() = default;

Result<std::unique_ptr<PurchaseMapper>> PurchaseMapper::Open(const SourceMapping& mapping) {
  std::unique_ptr<PurchaseMapper> mapper(new PurchaseMapper(mapping));
  for (size_t i = 0; i < mapping.joins.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(
        auto table, LoadJoinedTable(mapping.joins[i], ColumnsOf(mapping, static_cast<int>(i))));
    mapper->joined_.push_back(std::move(table));
  }
  return mapper;
}

Result<std::shared_ptr<arrow::RecordBatch>> PurchaseMapper::Map(const arrow::RecordBatch& rows,
                                                                int64_t first_row) {
  return BatchMapping(mapping_, joined_, rows, first_row).Run();
}

}  // namespace shopstream::generate
