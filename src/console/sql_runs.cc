#include "console/sql_runs.h"

#include <arrow/type.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/json.h"
#include "base/shutdown.h"
#include "console/column_mask.h"
#include "console/reply.h"
#include "sql/csv.h"
#include "sql/engine.h"
#include "sql/statement_stop.h"
#include "sql/value_text.h"
#include "tables/columns.h"

namespace shopstream::console {
namespace {

using nlohmann::ordered_json;

constexpr int kSqlThreads = 2;
constexpr int64_t kMostBytes = 8 << 20;    // Of a result as JSON.
constexpr size_t kExactDigits = 15;        // That a number of JavaScript has.
constexpr int64_t kDownloadPatience = 10;  // Times the longest query.

std::string TypeName(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
      return "VARCHAR";
    case arrow::Type::INT64:
      return "BIGINT";
    case arrow::Type::INT32:
      return "INTEGER";
    case arrow::Type::DOUBLE:
      return "DOUBLE";
    case arrow::Type::BOOL:
      return "BOOLEAN";
    case arrow::Type::DATE32:
      return "DATE";
    case arrow::Type::TIMESTAMP:
      return "TIMESTAMP";
    case arrow::Type::BINARY:
      return "BLOB";
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
      return "DECIMAL(" + std::to_string(decimal.precision()) + "," +
             std::to_string(decimal.scale()) + ")";
    }
    default:
      return type.ToString();
  }
}

// A number with more digits than a number of JavaScript is a text.
ordered_json CellJson(const arrow::Array& values, int64_t row) {
  if (values.IsNull(row)) return nullptr;
  if (sql::IsNumber(*values.type())) {
    const std::string text = sql::ValueText(values, row);
    const auto digits = std::ranges::count_if(text, [](char c) { return c >= '0' && c <= '9'; });
    if (static_cast<size_t>(digits) > kExactDigits && values.type_id() != arrow::Type::DOUBLE) {
      return text;
    }
  }
  return ParseOrderedJson(sql::ValueJson(values, row));
}

ordered_json TablesJson(const sql::Catalog& catalog) {
  ordered_json tables = sql::OpenTablesJson(catalog);
  for (ordered_json& table : tables) {
    table["rows_read"] = catalog.open().at(table["name"]).rows->stats().rows_read;
  }
  return tables;
}

int64_t RowsScanned(const sql::Catalog& catalog) {
  int64_t rows = 0;
  for (const auto& [name, table] : catalog.open()) rows += table.rows->stats().rows_read;
  return rows;
}

}  // namespace

RunningQueries::Ticket::~Ticket() {
  const std::lock_guard lock(queries_->mutex_);
  queries_->running_.erase(id_);
}

Result<std::shared_ptr<RunningQueries::Ticket>> RunningQueries::Begin(const std::string& id,
                                                                      Millis longest) {
  const std::lock_guard lock(mutex_);
  if (running_.contains(id)) return Status::Invalid("a query with the id ", id, " is running");
  if (std::ssize(running_) >= most_) {
    return Unavailable(Counted(most_, "query"),
                       " at the same time is the limit (console.sql_queries): "
                       "wait for one to end, or cancel it");
  }
  auto ticket = std::make_shared<Ticket>(this, id, longest);
  running_[id] = ticket.get();
  return ticket;
}

bool RunningQueries::Cancel(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = running_.find(id);
  if (found == running_.end()) return false;
  found->second->cancelled_ = true;
  return true;
}

// Declared so that the engine is destroyed before what it reads.
struct SqlRuns::Statement {
  std::shared_ptr<RunningQueries::Ticket> ticket;
  std::function<bool()> stop;
  std::shared_ptr<lake::ObjectStore> store;
  std::unique_ptr<sql::Catalog> catalog;
  std::unique_ptr<sql::Engine> engine;
  std::unique_ptr<sql::Session> session;
  std::unique_ptr<sql::StopsWhenAsked> stops;
  std::optional<sql::Query> query;
};

SqlLimits SqlLimits::From(const Config& config) {
  return {.rows = config.console.sql_rows,
          .seconds = config.console.sql_seconds,
          .memory_limit_mb = config.console.sql_memory_limit_mb,
          .queries = config.console.sql_queries};
}

SqlRuns::SqlRuns(const Config& config, const Masking& masking, LakeTables* tables,
                 const SqlLimits& limits)
    : config_(config),
      tables_(tables),
      limits_(limits),
      masking_(masking),
      running_(limits.queries) {}

// The bytes of a quarantined record contain its fields.
std::vector<int> SqlRuns::MaskedColumns(const std::string& path,
                                        const arrow::Schema& schema) const {
  std::vector<int> masked;
  if (!masking_.active()) return masked;
  const ColumnMask mask(masking_, schema);
  const bool is_quarantine = path == config_.lake.quarantine_table;
  for (int i = 0; i < schema.num_fields(); ++i) {
    const std::string& name = schema.field(i)->name();
    const bool is_bytes = name == tables::kKey || name == tables::kValue ||
                          name == tables::kHeaders || name == tables::kDetail;
    if (mask.hides(name) || (is_quarantine && is_bytes)) masked.push_back(i);
  }
  return masked;
}

Result<std::unique_ptr<SqlRuns::Statement>> SqlRuns::Prepare(const SqlRequest& request,
                                                             Millis longest) {
  auto statement = std::make_unique<Statement>();
  ARROW_ASSIGN_OR_RAISE(statement->ticket, running_.Begin(request.id, longest));
  statement->stop = [ticket = statement->ticket.get()] {
    return ticket->stops() || ShutdownRequested();
  };
  ARROW_ASSIGN_OR_RAISE(statement->store, tables_->Store());
  ARROW_ASSIGN_OR_RAISE(statement->catalog,
                        sql::Catalog::Open(statement->store.get(), config_, request.versions));
  statement->catalog->Mask([this](const std::string& path, const arrow::Schema& schema) {
    return MaskedColumns(path, schema);
  });
  const sql::EngineOptions options{.memory_bytes = limits_.memory_limit_mb << 20,
                                   .threads = kSqlThreads};
  ARROW_ASSIGN_OR_RAISE(statement->engine, sql::Engine::Open(options));
  ARROW_ASSIGN_OR_RAISE(statement->session, statement->engine->Connect());
  sql::Session* const session = statement->session.get();
  statement->stops = std::make_unique<sql::StopsWhenAsked>(session, statement->stop);
  ARROW_RETURN_NOT_OK(statement->catalog->Register(request.sql, session));
  auto prepared = session->Prepare({request.sql, "", 1});
  if (!prepared.ok()) {
    return Explained(statement->catalog->Explained(prepared.status()), *statement->ticket);
  }
  if (prepared->size() != 1) {
    return Status::Invalid("there are ", prepared->size(), " statements: give one");
  }
  statement->query.emplace(std::move(prepared->front()));
  ARROW_RETURN_NOT_OK(statement->catalog->NarrowTo(statement->query->sql().text, session));
  return statement;
}

Status SqlRuns::Explained(const Status& error, const RunningQueries::Ticket& ticket) const {
  if (error.IsOutOfMemory()) {
    return error.WithMessage(error.message(), "; raise console.sql_memory_limit_mb (",
                             limits_.memory_limit_mb, "), or read fewer columns and rows");
  }
  if (!error.IsCancelled()) return error;
  if (ShutdownRequested()) return Unavailable("the console is stopping");
  if (ticket.is_cancelled()) return Status::Cancelled("the query was cancelled");
  return Status::Cancelled("the query was stopped after ", limits_.seconds,
                           " s (console.sql_seconds)");
}

Result<ordered_json> SqlRuns::Run(const SqlRequest& request) {
  const BootClock::time_point start = BootClock::now();
  ARROW_ASSIGN_OR_RAISE(const auto statement, Prepare(request, Millis{limits_.seconds * 1000}));
  const auto opened = statement->query->Stream();
  if (!opened.ok()) return Explained(opened.status(), *statement->ticket);
  const auto& stream = *opened;
  ordered_json columns = ordered_json::array(), rows = ordered_json::array(), truncated;
  for (const auto& field : stream->schema()->fields()) {
    columns.push_back({{"name", field->name()},
                       {"type", TypeName(*field->type())},
                       {"numeric", sql::IsNumber(*field->type())}});
  }
  int64_t bytes = 0;
  while (truncated.is_null()) {
    const auto next = stream->Next();
    if (!next.ok()) return Explained(next.status(), *statement->ticket);
    if (*next == nullptr) break;
    for (int64_t row = 0; row < (*next)->num_rows() && truncated.is_null(); ++row) {
      if (std::ssize(rows) == request.limit) {
        truncated = "rows";
        break;
      }
      ordered_json cells = ordered_json::array();
      for (const auto& column : (*next)->columns()) cells.push_back(CellJson(*column, row));
      bytes += std::ssize(DumpJson(cells));
      rows.push_back(std::move(cells));
      if (bytes > kMostBytes) truncated = "bytes";
    }
  }
  const sql::Catalog& catalog = *statement->catalog;
  ordered_json complete_through;
  if (const auto& complete = catalog.complete(); complete && complete->complete_through_ms) {
    complete_through = *complete->complete_through_ms;
  }
  return ordered_json{
      {"columns", std::move(columns)},
      {"rows", std::move(rows)},
      {"truncated", std::move(truncated)},
      {"tables", TablesJson(catalog)},
      {"complete_through_ms", std::move(complete_through)},
      {"rows_scanned", RowsScanned(catalog)},
      {"elapsed_ms", std::chrono::duration_cast<Millis>(BootClock::now() - start).count()}};
}

// The pieces of a download.
class SqlRuns::Csv {
 public:
  Csv(const SqlRuns* runs, std::unique_ptr<Statement> statement,
      std::unique_ptr<sql::RowStream> stream)
      : runs_(runs), statement_(std::move(statement)), stream_(std::move(stream)) {}

  std::string Header() const { return sql::CsvHeader(*stream_->schema()); }
  std::optional<std::string> Next() {
    if (ended_) return std::nullopt;
    const auto rows = stream_->Next();
    if (rows.ok() && *rows != nullptr) return sql::CsvLines(**rows);
    ended_ = true;
    if (rows.ok()) return std::nullopt;
    const Status error = runs_->Explained(rows.status(), *statement_->ticket);
    return "INCOMPLETE: " + Printable(error.message()) + "\n";
  }

 private:
  const SqlRuns* const runs_;
  const std::unique_ptr<Statement> statement_;
  const std::unique_ptr<sql::RowStream> stream_;  // Destroyed first.
  bool ended_ = false;
};

HttpReply SqlRuns::Download(const SqlRequest& request) {
  const Millis longest{limits_.seconds * 1000 * kDownloadPatience};
  auto statement = Prepare(request, longest);
  if (!statement.ok()) return ErrorReply(statement.status());
  auto stream = (*statement)->query->Stream();
  if (!stream.ok()) return ErrorReply(Explained(stream.status(), *(*statement)->ticket));
  const auto csv = std::make_shared<Csv>(this, *std::move(statement), *std::move(stream));
  HttpReply reply;
  reply.content_type = "text/csv; charset=utf-8";
  reply.headers = {{"Content-Disposition", "attachment; filename=\"result.csv\""}};
  reply.body = csv->Header();
  reply.next_piece = [csv] { return csv->Next(); };
  return reply;
}

Result<ordered_json> SqlRuns::Schema() {
  ARROW_ASSIGN_OR_RAISE(const auto store, tables_->Store());
  ARROW_ASSIGN_OR_RAISE(const auto catalog, sql::Catalog::Open(store.get(), config_));
  ordered_json tables = ordered_json::array();
  for (const auto& [name, path] : catalog->names()) {
    const auto snapshot = tables_->Newest(path);
    if (!snapshot.ok() || *snapshot == nullptr) {
      tables.push_back({{"name", name},
                        {"table", path},
                        {"unknown", snapshot.ok() ? "it is gone" : snapshot.status().message()}});
      continue;
    }
    const arrow::Schema& schema = *(*snapshot)->schema();
    const std::vector<int> masked = MaskedColumns(path, schema);
    ordered_json columns = ordered_json::array();
    for (int i = 0; i < schema.num_fields(); ++i) {
      const bool hides = std::ranges::count(masked, i) > 0;
      columns.push_back({{"name", schema.field(i)->name()},
                         {"type", hides ? "VARCHAR" : TypeName(*schema.field(i)->type())},
                         {"masked", hides}});
    }
    tables.push_back({{"name", name},
                      {"table", path},
                      {"version", (*snapshot)->version()},
                      {"columns", std::move(columns)}});
  }
  return ordered_json{{"exists", !tables.empty()}, {"tables", std::move(tables)}};
}

}  // namespace shopstream::console
