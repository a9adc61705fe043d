#include "refine/judge.h"

#include <arrow/array/builder_primitive.h>
#include <arrow/array/util.h>
#include <arrow/compute/api_vector.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/format.h"
#include "base/join.h"
#include "base/nearest_name.h"
#include "base/unicode_names.h"
#include "refine/all_rows.h"
#include "refine/lookup_tables.h"
#include "sql/memory_rows.h"
#include "tables/columns.h"

namespace shopstream::refine {
namespace {

constexpr int64_t kPassRowsExpected = 500'000;

// The columns of PassSql after the row's number.
const arrow::FieldVector& VerdictFields() {
  static const arrow::FieldVector fields = {arrow::field(kReasons, arrow::utf8()),
                                            arrow::field("warnings", arrow::utf8()),
                                            arrow::field(kEventHour, tables::Instant()),
                                            arrow::field(kAmountUsd, arrow::decimal128(18, 2)),
                                            arrow::field(kProductCategory, arrow::utf8()),
                                            arrow::field(kLate, arrow::boolean())};
  return fields;
}

std::shared_ptr<arrow::Schema> WithRowNumber(const arrow::Schema& bronze) {
  arrow::FieldVector fields = bronze.fields();
  fields.push_back(arrow::field(kRowNumber, arrow::int64()));
  return arrow::schema(std::move(fields));
}

Result<std::shared_ptr<arrow::Array>> RowNumbers(int64_t count) {
  arrow::Int64Builder builder;
  ARROW_RETURN_NOT_OK(builder.Reserve(count));
  for (int64_t i = 0; i < count; ++i) builder.UnsafeAppend(i);
  return builder.Finish();
}

Result<std::shared_ptr<arrow::RecordBatch>> RunAlone(sql::Session* session,
                                                     const sql::SqlText& text) {
  ARROW_ASSIGN_OR_RAISE(auto queries, session->Prepare(text));
  if (queries.size() != 1) return Status::Invalid(text.file, " has more than one statement");
  return AllRows(&queries.front());
}

Status CheckComputed(const std::string& file, const arrow::Schema& schema) {
  std::vector<std::string> needed = ComputedColumns();
  needed.insert(needed.begin(), {kBronzeRow, kExactAmount});
  for (const std::string& name : needed) {
    if (schema.GetFieldIndex(name) >= 0) continue;
    return Status::Invalid(file, " does not give column ", name,
                           ": SELECT all columns of bronze, and event_hour, amount_usd, "
                           "product_category, late and exact_amount");
  }
  return Status::OK();
}

// For each row of the batch, where the result has it. Invalid: not exactly once.
Result<std::shared_ptr<arrow::Array>> PositionsOf(const arrow::Array& numbers, int64_t rows) {
  const auto& found = static_cast<const arrow::Int64Array&>(numbers);
  std::vector<int64_t> positions(static_cast<size_t>(rows), -1);
  for (int64_t i = 0; i < found.length(); ++i) {
    const int64_t row = found.IsNull(i) ? -1 : found.Value(i);
    if (row < 0 || row >= rows || positions[static_cast<size_t>(row)] >= 0) {
      return Status::Invalid(
          "gives several rows for one row of bronze: a look-up has its key "
          "twice, or a join no condition");
    }
    positions[static_cast<size_t>(row)] = i;
  }
  if (found.length() != rows) {
    return Status::Invalid("gives ", Counted(found.length(), "row"), " for ", rows,
                           " of bronze: use LEFT JOIN, and no WHERE");
  }
  arrow::Int64Builder builder;
  ARROW_RETURN_NOT_OK(builder.AppendValues(positions));
  return builder.Finish();
}

bool IsAscending(const arrow::Array& numbers) {
  const auto& rows = static_cast<const arrow::Int64Array&>(numbers);
  for (int64_t i = 0; i < rows.length(); ++i) {
    if (rows.IsNull(i) || rows.Value(i) != i) return false;
  }
  return true;
}

}  // namespace

struct Judge::Statements {
  Statements(std::shared_ptr<const RuleBook> used, const RefineColumns& columns)
      : book(std::move(used)),
        rows(WithRowNumber(*columns.bronze), kPassRowsExpected),
        lookups(book->lookups) {
    text = {.silver = book->silver,
            .rules = &book->rules,
            .late_after_seconds = book->late_after_seconds,
            .columns = BronzeColumns(columns)};
  }

  Status Prepare(const sql::EngineOptions& options);
  Status CheckColumns() const;
  Status CheckTypes(const arrow::Schema& schema) const;
  Status SetRows(const std::shared_ptr<arrow::RecordBatch>& bronze);
  // Why the whole statement fails on the present rows: the part that fails alone, or `failure`.
  Status Explained(const Status& failure);
  Result<std::shared_ptr<arrow::RecordBatch>> Run();

  std::shared_ptr<const RuleBook> book;
  JudgeText text;
  sql::MemoryRows rows;  // Outlives the engine, as do the look-up tables.
  LookupTables lookups;
  std::unique_ptr<sql::Engine> engine;
  std::unique_ptr<sql::Session> session;
  std::vector<sql::Query> pass;
};

Status Judge::Statements::Prepare(const sql::EngineOptions& options) {
  ARROW_ASSIGN_OR_RAISE(engine, sql::Engine::Open(options));
  ARROW_ASSIGN_OR_RAISE(session, engine->Connect());
  ARROW_RETURN_NOT_OK(session->Register("bronze_events", &rows));
  ARROW_RETURN_NOT_OK(lookups.Register(session.get()));
  ARROW_RETURN_NOT_OK(CheckColumns());
  // A row of nulls: constants that have the wrong type fail with the first row.
  arrow::ArrayVector nulls;
  arrow::FieldVector fields = rows.schema()->fields();
  fields.pop_back();
  for (const auto& field : fields) {
    ARROW_ASSIGN_OR_RAISE(nulls.emplace_back(), arrow::MakeArrayOfNull(field->type(), 1));
  }
  ARROW_RETURN_NOT_OK(SetRows(arrow::RecordBatch::Make(arrow::schema(fields), 1, nulls)));
  auto prepared = session->Prepare(PassSql(text));
  if (!prepared.ok()) return Explained(prepared.status());
  pass = *std::move(prepared);
  ARROW_ASSIGN_OR_RAISE(const auto result, Run());
  return CheckTypes(*result->schema());
}

Status Judge::Statements::CheckColumns() const {
  std::vector<std::string> names = {kRawAmount};
  for (const BronzeColumn& column : text.columns) names.push_back(column.sql_name);
  names.insert(names.end(), ComputedColumns().begin(), ComputedColumns().end());
  for (const Rule& rule : book->rules.rules) {
    const std::string column = ColumnOf(rule.condition);
    const auto is_it = [&](const std::string& name) { return FoldCase(name) == FoldCase(column); };
    if (column.empty() || std::ranges::any_of(names, is_it)) continue;
    return Status::Invalid(book->rules.file, ", line ", rule.line, ": rule ", rule.name,
                           ": bronze_events has no column ", Printable(column),
                           DidYouMean(column, names));
  }
  return Status::OK();
}

Status Judge::Statements::CheckTypes(const arrow::Schema& schema) const {
  for (size_t i = 0; i < VerdictFields().size(); ++i) {
    const arrow::Field& expected = *VerdictFields()[i];
    const auto& found = schema.field(static_cast<int>(i) + 1)->type();
    if (found->Equals(*expected.type())) continue;
    return Status::Invalid(text.silver.file, ": column ", expected.name(), " is ",
                           found->ToString(), " and must be ", expected.type()->ToString(),
                           ": CAST it");
  }
  return Status::OK();
}

Status Judge::Statements::SetRows(const std::shared_ptr<arrow::RecordBatch>& bronze) {
  ARROW_ASSIGN_OR_RAISE(const auto numbers, RowNumbers(bronze->num_rows()));
  arrow::ArrayVector columns = bronze->columns();
  arrow::FieldVector fields = bronze->schema()->fields();
  columns.push_back(numbers);
  fields.push_back(rows.schema()->fields().back());
  return rows.Set(
      arrow::RecordBatch::Make(arrow::schema(std::move(fields)), bronze->num_rows(), columns));
}

Status Judge::Statements::Explained(const Status& failure) {
  if (!failure.IsInvalid()) return failure;
  ARROW_ASSIGN_OR_RAISE(const auto computed, RunAlone(session.get(), ComputeSql(text)));
  ARROW_RETURN_NOT_OK(CheckComputed(text.silver.file, *computed->schema()));
  for (size_t i = 0; i < book->rules.rules.size(); ++i) {
    const Status alone = RunAlone(session.get(), RuleSql(text, i)).status();
    if (alone.ok()) continue;
    const Rule& rule = book->rules.rules[i];
    return alone.WithMessage("rule ", rule.name, " (", book->rules.file, ", line ", rule.line,
                             "): ", alone.message());
  }
  return failure;
}

Result<std::shared_ptr<arrow::RecordBatch>> Judge::Statements::Run() {
  auto result = AllRows(&pass.front());
  if (result.ok()) return result;
  return Explained(result.status());
}

Judge::Judge(std::unique_ptr<Statements> statements) : statements_(std::move(statements)) {}
Judge::~Judge() = default;

const RuleBook& Judge::book() const { return *statements_->book; }
const JudgeText& Judge::text() const { return statements_->text; }
sql::Session* Judge::session() { return statements_->session.get(); }

Result<std::unique_ptr<Judge>> Judge::Open(std::shared_ptr<const RuleBook> book,
                                           const RefineColumns& columns,
                                           const sql::EngineOptions& options) {
  auto statements = std::make_unique<Statements>(std::move(book), columns);
  ARROW_RETURN_NOT_OK(statements->Prepare(options));
  return std::unique_ptr<Judge>(new Judge(std::move(statements)));
}

Result<Verdicts> Judge::Look(const std::shared_ptr<arrow::RecordBatch>& rows) {
  ARROW_RETURN_NOT_OK(statements_->SetRows(rows));
  ARROW_ASSIGN_OR_RAISE(const auto result, statements_->Run());
  auto positions = PositionsOf(*result->column(0), rows->num_rows());
  if (!positions.ok()) {
    return positions.status().WithMessage(statements_->text.silver.file, " ",
                                          positions.status().message());
  }
  arrow::ArrayVector columns(result->columns().begin() + 1, result->columns().end());
  if (!IsAscending(*result->column(0))) {
    for (auto& column : columns) {
      ARROW_ASSIGN_OR_RAISE(column, arrow::compute::Take(*column, **positions));
    }
  }
  return Verdicts{.reasons = std::static_pointer_cast<arrow::StringArray>(columns[0]),
                  .warnings = std::static_pointer_cast<arrow::StringArray>(columns[1]),
                  .event_hour = columns[2],
                  .amount_usd = columns[3],
                  .product_category = columns[4],
                  .late = columns[5]};
}

}  // namespace shopstream::refine
