#include "refine/gold_merge.h"

#include <string>
#include <utility>

#include "refine/all_rows.h"
#include "refine/gold_check.h"
#include "refine/gold_sql.h"
#include "sql/memory_rows.h"
#include "tables/columns.h"

namespace shopstream::refine {
namespace {

// For the planner.
constexpr int64_t kExpectedRows = 10'000;

// Runs it over no rows, to its end: what is registered while a statement runs is lost with it.
Result<std::shared_ptr<arrow::Schema>> SchemaOf(sql::Session* session, const sql::SqlText& text) {
  ARROW_ASSIGN_OR_RAISE(auto queries, session->Prepare(text));
  ARROW_ASSIGN_OR_RAISE(const auto rows, AllRows(&queries.front()));
  return rows->schema();
}

// The columns of the table, date last, in the order in which the file selects them.
Result<std::shared_ptr<arrow::Schema>> TableSchema(const GoldFile& file,
                                                   const arrow::Schema& selected) {
  arrow::FieldVector fields;
  for (const auto& field : selected.fields()) {
    if (field->name() != tables::kDate) fields.push_back(field->WithNullable(true));
  }
  const auto date = selected.GetFieldByName(tables::kDate);
  if (date == nullptr || date->type()->id() != arrow::Type::DATE32) {
    return GoldError(file.aggregate.file, file.columns[0].line, "the column date is not a date");
  }
  fields.push_back(date->WithNullable(true));
  return arrow::schema(std::move(fields));
}

// The columns of `to` among those of the batch.
Status SetRows(const SelectedRows& selected, sql::MemoryRows* to) {
  arrow::ArrayVector columns;
  for (const auto& field : to->schema()->fields()) {
    columns.push_back(selected.rows->GetColumnByName(field->name()));
    if (columns.back() == nullptr) {
      return Status::Invalid("the rows have no column ", field->name(), ": this is a bug");
    }
  }
  const int64_t rows = selected.rows->num_rows();
  return to->Set(arrow::RecordBatch::Make(to->schema(), rows, std::move(columns)),
                 selected.positions);
}

Status Clear(sql::MemoryRows* rows) {
  ARROW_ASSIGN_OR_RAISE(auto none, arrow::RecordBatch::MakeEmpty(rows->schema()));
  return rows->Set(std::move(none));
}

}  // namespace

// Declared so that the engine is destroyed before what it reads.
struct GoldMerge::Prepared {
  GoldFile file;
  RefineColumns columns;
  std::unique_ptr<sql::MemoryRows> silver, rejects, old, part;
  std::unique_ptr<sql::Engine> engine;
  std::unique_ptr<sql::Session> session;
  std::shared_ptr<arrow::Schema> aggregated;     // The columns of the aggregate part,
  std::shared_ptr<arrow::Schema> without_casts;  // those of its sums as they are computed,
  std::shared_ptr<arrow::Schema> table;          // and those of the table.
  sql::SqlText lists;                            // The aggregate part with lists,
  sql::SqlText values;                           // and ungrouped.
  std::vector<sql::Query> queries;               // Aggregate, then merge.

  Status Start(const sql::EngineOptions& options);
  Status CheckAggregatePart();
  Status CheckDerivePart();
  Status PrepareQueries();
};

Status GoldMerge::Prepared::Start(const sql::EngineOptions& options) {
  ARROW_ASSIGN_OR_RAISE(engine, sql::Engine::Open(options));
  ARROW_ASSIGN_OR_RAISE(session, engine->Connect());
  silver = std::make_unique<sql::MemoryRows>(columns.silver, kExpectedRows);
  rejects = std::make_unique<sql::MemoryRows>(columns.rejects, kExpectedRows);
  ARROW_RETURN_NOT_OK(session->Register("silver_events", silver.get()));
  return session->Register("silver_rejects", rejects.get());
}

Status GoldMerge::Prepared::CheckAggregatePart() {
  ARROW_ASSIGN_OR_RAISE(aggregated, SchemaOf(session.get(), file.aggregate));
  ARROW_ASSIGN_OR_RAISE(const std::string parsed, session->Parse(file.aggregate.text));
  ARROW_RETURN_NOT_OK(CheckAggregate(file, parsed));
  ARROW_ASSIGN_OR_RAISE(const std::string uncast, session->Unparse(WithoutCasts(file, parsed)));
  ARROW_ASSIGN_OR_RAISE(without_casts, SchemaOf(session.get(), {uncast, file.aggregate.file, 1}));
  ARROW_ASSIGN_OR_RAISE(lists.text, session->Unparse(AsLists(file, parsed)));
  ARROW_ASSIGN_OR_RAISE(values.text, session->Unparse(AsValues(file, parsed)));
  for (sql::SqlText* text : {&lists, &values}) {
    text->file = file.aggregate.file;
    text->first_line = file.aggregate.first_line;
  }
  return Status::OK();
}

Status GoldMerge::Prepared::CheckDerivePart() {
  if (!file.HasDerive()) {
    ARROW_ASSIGN_OR_RAISE(table, TableSchema(file, *aggregated));
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(const auto selected, SchemaOf(session.get(), file.derive));
  ARROW_ASSIGN_OR_RAISE(const std::string parsed, session->Parse(file.derive.text));
  ARROW_RETURN_NOT_OK(CheckDerive(file, parsed));
  ARROW_ASSIGN_OR_RAISE(table, TableSchema(file, *selected));
  return Status::OK();
}

Status GoldMerge::Prepared::PrepareQueries() {
  for (const sql::SqlText& text : {lists, TableSql(file, *table)}) {
    ARROW_ASSIGN_OR_RAISE(auto prepared, session->Prepare(text));
    queries.push_back(std::move(prepared.front()));
  }
  return Status::OK();
}

Result<std::unique_ptr<GoldMerge>> GoldMerge::Open(const GoldFile& file,
                                                   const RefineColumns& columns,
                                                   const sql::EngineOptions& options) {
  auto prepared = std::make_unique<Prepared>();
  Prepared& merge = *prepared;
  merge.file = file;
  merge.columns = columns;
  ARROW_RETURN_NOT_OK(merge.Start(options));
  ARROW_RETURN_NOT_OK(merge.CheckAggregatePart());
  merge.old = std::make_unique<sql::MemoryRows>(merge.aggregated, kExpectedRows);
  merge.part = std::make_unique<sql::MemoryRows>(merge.aggregated, kExpectedRows);
  ARROW_RETURN_NOT_OK(merge.session->Register(kGoldOld, merge.old.get()));
  ARROW_RETURN_NOT_OK(merge.session->Register(kGoldPart, merge.part.get()));
  ARROW_RETURN_NOT_OK(merge.session->Run(MergedView(file, *merge.aggregated)));
  ARROW_RETURN_NOT_OK(merge.CheckDerivePart());
  ARROW_RETURN_NOT_OK(CheckGoldTypes(file, *merge.aggregated, *merge.without_casts, *merge.table));
  ARROW_RETURN_NOT_OK(merge.PrepareQueries());
  return std::unique_ptr<GoldMerge>(new GoldMerge(std::move(prepared)));
}

GoldMerge::GoldMerge(std::unique_ptr<Prepared> prepared) : prepared_(std::move(prepared)) {}
GoldMerge::~GoldMerge() = default;

const GoldFile& GoldMerge::file() const { return prepared_->file; }
const RefineColumns& GoldMerge::columns() const { return prepared_->columns; }
const std::shared_ptr<arrow::Schema>& GoldMerge::schema() const { return prepared_->table; }
const std::shared_ptr<arrow::Schema>& GoldMerge::stored() const { return prepared_->aggregated; }
const sql::SqlText& GoldMerge::values() const { return prepared_->values; }

Result<std::shared_ptr<arrow::RecordBatch>> GoldMerge::Aggregate(const SelectedRows& silver,
                                                                 const SelectedRows& rejects) {
  ARROW_RETURN_NOT_OK(SetRows(silver, prepared_->silver.get()));
  ARROW_RETURN_NOT_OK(SetRows(rejects, prepared_->rejects.get()));
  auto rows = AllRows(&prepared_->queries[0]);
  // They are as large as a pass.
  ARROW_RETURN_NOT_OK(Clear(prepared_->silver.get()));
  ARROW_RETURN_NOT_OK(Clear(prepared_->rejects.get()));
  return rows;
}

Result<std::shared_ptr<arrow::RecordBatch>> GoldMerge::Merge(
    const std::shared_ptr<arrow::RecordBatch>& old,
    const std::shared_ptr<arrow::RecordBatch>& part) {
  ARROW_RETURN_NOT_OK(SetRows({old}, prepared_->old.get()));
  ARROW_RETURN_NOT_OK(SetRows({part}, prepared_->part.get()));
  return AllRows(&prepared_->queries[1]);
}

}  // namespace shopstream::refine
