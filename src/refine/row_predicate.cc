#include "refine/row_predicate.h"

#include <arrow/array/array_primitive.h>
#include <arrow/array/builder_base.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>

#include <map>
#include <set>
#include <utility>

#include "base/unicode_names.h"
#include "refine/all_rows.h"
#include "refine/parsed_sql.h"
#include "refine/volatile_sql.h"
#include "sql/engine.h"
#include "sql/memory_rows.h"
#include "sql/pruning.h"
#include "sql/session.h"
#include "tables/typed_column.h"

namespace shopstream::refine {
namespace {

constexpr char kTable[] = "bronze_events";
constexpr char kRowsTable[] = "predicate_rows";
constexpr char kPosition[] = "predicate_row_position";
constexpr int64_t kRowsExpected = 1 << 16;

Status Refused(const std::string& text, const std::string& why) {
  return Status::Invalid("the condition ", text, " ", why);
}

sql::SqlText Unnamed(std::string text) { return {.text = std::move(text), .file = ""}; }

// A comment at the end of the text must not hide the parenthesis.
std::string Parenthesized(const std::string& text) { return "(" + text + "\n)"; }

std::string WhereText(const std::string& text) {
  return std::string("SELECT 1 FROM ") + kTable + " WHERE " + Parenthesized(text);
}

// The expression, if the text is one and nothing else.
Result<Parsed> ParseExpression(sql::Session* session, const std::string& text) {
  ARROW_ASSIGN_OR_RAISE(const std::string parsed, session->Parse("SELECT " + Parenthesized(text)));
  const Parsed root = ParseOrderedJson(parsed);
  if (!root.is_object() || root.value("error", true)) {
    return Refused(
        text, "is not valid SQL: " + (root.is_object() ? root.value("error_message", "") : ""));
  }
  const Parsed& statements = root.at("statements");
  const auto is_one = [&] {
    if (statements.size() != 1) return false;
    const Parsed& node = statements[0].at("node");
    return node.value("type", "") == "SELECT_NODE" && node.at("select_list").size() == 1 &&
           node.at("from_table").value("type", "") == "EMPTY" &&
           node.at("where_clause").is_null() && !FurtherClause(node) &&
           node.at("select_list")[0].value("alias", "").empty();
  };
  if (!is_one()) return Refused(text, "is more than one expression");
  return statements[0].at("node").at("select_list")[0];
}

Status CheckIsOfOneRow(const std::string& text, const Parsed& expression) {
  const std::string volatile_name = VolatileFunctionIn(text);
  if (!volatile_name.empty()) {
    return Refused(text, "depends on " + volatile_name +
                             ", which gives another value each time: write the value itself");
  }
  Status status;
  VisitExpressions(expression, [&](const Parsed& part) {
    if (!status.ok()) return;
    if (IsClass(part, "SUBQUERY")) {
      status = Refused(text, "has a SELECT in it: a row must match by its own values");
    } else if (IsClass(part, "STAR")) {
      status = Refused(text, "names columns by *: name each");
    } else if (IsClass(part, "PARAMETER")) {
      status = Refused(text, "has a parameter: write the value itself");
    }
  });
  return status;
}

// Columns of the table that the expression may read, perhaps others too: a.b is a column b of a
// table a, or a field b of a column a.
std::vector<int> ColumnsOf(const Parsed& expression, const arrow::Schema& table) {
  std::set<std::string> words;
  VisitExpressions(expression, [&](const Parsed& part) {
    if (!IsClass(part, "COLUMN_REF")) return;
    for (const Parsed& word : part.at("column_names")) {
      words.insert(FoldCase(word.get<std::string>()));
    }
  });
  std::vector<int> columns;
  for (int i = 0; i < table.num_fields(); ++i) {
    if (words.contains(FoldCase(table.field(i)->name()))) columns.push_back(i);
  }
  return columns;
}

std::shared_ptr<arrow::Schema> WithPosition(const arrow::Schema& table,
                                            const std::vector<int>& columns) {
  arrow::FieldVector fields;
  for (const int column : columns) fields.push_back(table.field(column)->WithNullable(true));
  fields.push_back(arrow::field(kPosition, arrow::int64()));
  return arrow::schema(std::move(fields));
}

Result<std::shared_ptr<arrow::Array>> PredicatePositions(int64_t count) {
  arrow::Int64Builder builder;
  ARROW_RETURN_NOT_OK(builder.Reserve(count));
  for (int64_t i = 0; i < count; ++i) builder.UnsafeAppend(i);
  return builder.Finish();
}

// The values of the texts; null where one is no value of the type.
Result<std::shared_ptr<arrow::Array>> ValuesOf(
    const std::shared_ptr<arrow::DataType>& type,
    const std::vector<std::optional<std::string>>& texts) {
  ARROW_ASSIGN_OR_RAISE(const auto builder, arrow::MakeBuilder(type));
  for (const auto& text : texts) {
    const auto value = text ? arrow::Scalar::Parse(type, *text) : arrow::MakeNullScalar(type);
    ARROW_RETURN_NOT_OK(value.ok() ? builder->AppendScalar(**value) : builder->AppendNull());
  }
  return builder->Finish();
}

}  // namespace

struct RowPredicate::Statements {
  Statements(std::string condition, std::shared_ptr<arrow::Schema> schema, OnError error)
      : text(std::move(condition)),
        table(std::move(schema)),
        on_error(error),
        whole(table, kRowsExpected) {}

  Status Open();
  Status CheckType();
  Status FindOutline();

  const std::string text;
  const std::shared_ptr<arrow::Schema> table;
  const OnError on_error;
  std::vector<std::string> columns;
  std::shared_ptr<arrow::Schema> read;  // `columns`, and the position of a row.
  lake::FilePredicate outline;
  sql::MemoryRows whole;                  // For messages that name columns; without rows.
  std::unique_ptr<sql::MemoryRows> rows;  // Both outlive the engine.
  std::unique_ptr<sql::Engine> engine;
  std::unique_ptr<sql::Session> session;
  std::vector<sql::Query> matching;
};

Status RowPredicate::Statements::Open() {
  ARROW_ASSIGN_OR_RAISE(engine, sql::Engine::Open({.memory_bytes = int64_t{64} << 20}));
  ARROW_ASSIGN_OR_RAISE(session, engine->Connect());
  ARROW_RETURN_NOT_OK(session->Register(kTable, &whole));
  ARROW_ASSIGN_OR_RAISE(const Parsed expression, ParseExpression(session.get(), text));
  ARROW_RETURN_NOT_OK(CheckIsOfOneRow(text, expression));
  ARROW_RETURN_NOT_OK(CheckType());
  ARROW_RETURN_NOT_OK(FindOutline());
  std::vector<int> used = ColumnsOf(expression, *table);
  if (used.empty()) used.push_back(0);
  for (const int column : used) columns.push_back(table->field(column)->name());
  read = WithPosition(*table, used);
  rows = std::make_unique<sql::MemoryRows>(read, kRowsExpected);
  ARROW_RETURN_NOT_OK(session->Register(kRowsTable, rows.get()));
  ARROW_ASSIGN_OR_RAISE(
      matching,
      session->Prepare(Unnamed(std::string("SELECT ") + kPosition + " FROM " + kRowsTable + " AS " +
                               kTable + " WHERE " + (on_error == OnError::kNoMatch ? "TRY" : "") +
                               Parenthesized(text))));
  return Status::OK();
}

// WHERE takes no aggregate and no window, but other types than a boolean.
Status RowPredicate::Statements::CheckType() {
  for (const std::string& statement :
       {WhereText(text), "SELECT " + Parenthesized(text) + " FROM " + kTable}) {
    auto prepared = session->Prepare(Unnamed(statement));
    if (!prepared.ok()) return Refused(text, "is refused: " + prepared.status().message());
    if (statement.starts_with("SELECT 1")) continue;
    ARROW_ASSIGN_OR_RAISE(const auto stream, prepared->front().Stream());
    const auto& type = stream->schema()->field(0)->type();
    if (type->id() != arrow::Type::BOOL) {
      return Refused(text, "is not a condition: its type is " + type->ToString());
    }
  }
  return Status::OK();
}

Status RowPredicate::Statements::FindOutline() {
  ARROW_ASSIGN_OR_RAISE(const std::string parsed, session->Parse(WhereText(text)));
  const auto conditions = sql::FindReadConditions(parsed, {{kTable, table}});
  if (conditions.empty()) return Status::OK();
  const auto found = conditions.front().find(kTable);
  if (found != conditions.front().end()) outline = found->second;
  return Status::OK();
}

RowPredicate::RowPredicate(std::unique_ptr<Statements> statements)
    : statements_(std::move(statements)) {}
RowPredicate::~RowPredicate() = default;

Result<std::unique_ptr<RowPredicate>> RowPredicate::Open(
    const std::string& text, const std::shared_ptr<arrow::Schema>& columns, OnError on_error) {
  auto statements = std::make_unique<Statements>(text, columns, on_error);
  ARROW_RETURN_NOT_OK(statements->Open());
  return std::unique_ptr<RowPredicate>(new RowPredicate(std::move(statements)));
}

Status RowPredicate::CheckText(const std::string& text) {
  ARROW_ASSIGN_OR_RAISE(const auto engine, sql::Engine::Open({}));
  ARROW_ASSIGN_OR_RAISE(const auto session, engine->Connect());
  ARROW_ASSIGN_OR_RAISE(const Parsed expression, ParseExpression(session.get(), text));
  return CheckIsOfOneRow(text, expression);
}

const std::string& RowPredicate::text() const { return statements_->text; }
const std::vector<std::string>& RowPredicate::columns() const { return statements_->columns; }
const lake::FilePredicate& RowPredicate::outline() const { return statements_->outline; }

Result<std::vector<bool>> RowPredicate::Matches(const arrow::RecordBatch& rows) {
  std::vector<bool> matches(static_cast<size_t>(rows.num_rows()));
  if (matches.empty()) return matches;
  arrow::ArrayVector values;
  for (const std::string& column : statements_->columns) {
    auto array = rows.GetColumnByName(column);
    if (array == nullptr) return Status::Invalid("rows to match lack column ", column);
    values.push_back(std::move(array));
  }
  ARROW_ASSIGN_OR_RAISE(values.emplace_back(), PredicatePositions(rows.num_rows()));
  ARROW_RETURN_NOT_OK(statements_->rows->Set(
      arrow::RecordBatch::Make(statements_->read, rows.num_rows(), std::move(values))));
  const auto found = AllRows(&statements_->matching.front());
  if (!found.ok()) {
    return found.status().WithMessage("the condition ", statements_->text,
                                      " cannot be computed: ", found.status().message());
  }
  ARROW_ASSIGN_OR_RAISE(const auto positions,
                        tables::TypedColumn<arrow::Int64Array>(**found, kPosition));
  for (int64_t i = 0; i < positions->length(); ++i) {
    matches[static_cast<size_t>(positions->Value(i))] = true;
  }
  return matches;
}

Result<std::vector<bool>> RowPredicate::MatchesAlone(
    const std::string& column, const std::vector<std::optional<std::string>>& texts) {
  if (statements_->columns != std::vector<std::string>{column}) {
    return std::vector<bool>(texts.size());
  }
  // One more row, whose value is not known either.
  std::vector<std::optional<std::string>> with_unknown = texts;
  with_unknown.emplace_back();
  const auto field = statements_->table->GetFieldByName(column)->WithNullable(true);
  ARROW_ASSIGN_OR_RAISE(const auto values, ValuesOf(field->type(), with_unknown));
  ARROW_ASSIGN_OR_RAISE(
      std::vector<bool> matches,
      Matches(*arrow::RecordBatch::Make(arrow::schema({field}), values->length(), {values})));
  const bool always = matches.back();
  matches.pop_back();
  if (always) matches.assign(texts.size(), false);
  return matches;
}

}  // namespace shopstream::refine
