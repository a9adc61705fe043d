#include "sql/session.h"

#include <arrow/c/abi.h>
#include <arrow/c/bridge.h>
#include <sys/stat.h>

#include <string_view>
#include <utility>

#include "base/error_kind.h"
#include "sql/connection.h"
#include "sql/duckdb_api.h"
#include "sql/read_only.h"
#include "sql/sql_words.h"
#include "sql/value_text.h"

namespace shopstream::sql {
namespace {

Status Taken(const DuckDbApi& api, duckdb_error_data error) {
  if (error == nullptr) return Status::OK();
  const Handle<duckdb_error_data> owned(api.destroy_error_data, error);
  return Status::Invalid("DuckDB: ", api.error_data_message(error));
}

// DuckDB calls UTC by another name than the lake's tables, wherever a type contains times.
void NameUtc(ArrowSchema* type) {
  if (std::string_view(type->format) == "tsu:Etc/UTC") type->format = "tsu:UTC";
  for (int64_t i = 0; i < type->n_children; ++i) NameUtc(type->children[i]);
}

// Arrow has no such type, so that DuckDB exports its internal bytes, or less than the value.
bool IsLostInArrow(duckdb_type type) {
  return type == DUCKDB_TYPE_UHUGEINT || type == DUCKDB_TYPE_BIT || type == DUCKDB_TYPE_BIGNUM ||
         type == DUCKDB_TYPE_TIME_TZ || type == DUCKDB_TYPE_INTERVAL;
}

// As DuckDB would export the result itself.
Result<std::shared_ptr<arrow::Schema>> SchemaOf(const DuckDbApi& api, duckdb_arrow_options options,
                                                duckdb_result* result) {
  std::vector<Handle<duckdb_logical_type>> types;
  std::vector<duckdb_logical_type> handles;
  std::vector<const char*> names;
  for (idx_t i = 0; i < api.column_count(result); ++i) {
    types.emplace_back(api.destroy_logical_type, api.column_logical_type(result, i));
    handles.push_back(types.back().get());
    names.push_back(api.column_name(result, i));
    if (IsLostInArrow(api.get_type_id(handles.back()))) {
      return Status::NotImplemented("column ", names.back(),
                                    " has a type that cannot be printed: ", "CAST it to VARCHAR");
    }
  }
  ArrowSchema exported{};
  ARROW_RETURN_NOT_OK(Taken(
      api, api.to_arrow_schema(options, handles.data(), names.data(), handles.size(), &exported)));
  NameUtc(&exported);
  return arrow::ImportSchema(&exported);
}

std::string Literal(const std::string& text) {
  std::string literal = "'";
  for (const char c : text) literal += c == '\'' ? "''" : std::string(1, c);
  return literal + "'";
}

}  // namespace

Status Connection::ErrorOf(const char* message, const SqlText& sql) const {
  const Status error = SqlError(message == nullptr ? "DuckDB failed" : message, sql, spill_folder);
  // A clean-up of temporary files deletes folders that were not used for days.
  if (IsUnavailable(error)) mkdir(spill_folder.c_str(), S_IRWXU);
  Status failure;
  for (const auto& function : *functions) {
    const Status taken = function->TakeFailure();
    if (failure.ok()) failure = taken;
  }
  return failure.ok() || error.IsCancelled() ? error : failure;
}

struct RowStream::Running {
  explicit Running(const Connection* running_on, SqlText running_sql)
      : connection(running_on),
        sql(std::move(running_sql)),
        result(running_on->api->destroy_result),
        options(running_on->api->destroy_arrow_options) {}

  const Connection* connection;
  SqlText sql;
  Handle<duckdb_result> result;
  Handle<duckdb_arrow_options> options;
};

RowStream::RowStream() = default;
RowStream::~RowStream() = default;

Result<std::shared_ptr<arrow::RecordBatch>> RowStream::Next() {
  const DuckDbApi& api = *running_->connection->api;
  const Handle<duckdb_data_chunk> chunk(api.destroy_data_chunk,
                                        api.fetch_chunk(running_->result.get()));
  if (chunk.get() == nullptr) {
    const char* const error = api.result_error(running_->result.out());
    if (error != nullptr) return running_->connection->ErrorOf(error, running_->sql);
    return nullptr;
  }
  ArrowArray exported{};
  ARROW_RETURN_NOT_OK(
      Taken(api, api.data_chunk_to_arrow(running_->options.get(), chunk.get(), &exported)));
  return arrow::ImportRecordBatch(&exported, schema_);
}

struct Query::Prepared {
  const Connection* connection;
  SqlText sql;
  Handle<duckdb_prepared_statement> statement;
};

Query::Query(std::unique_ptr<Prepared> prepared) : prepared_(std::move(prepared)) {}
Query::Query(Query&&) noexcept = default;
Query::~Query() = default;

Result<std::unique_ptr<RowStream>> Query::Stream() {
  const Connection& connection = *prepared_->connection;
  const DuckDbApi& api = *connection.api;
  Handle<duckdb_pending_result> pending(api.destroy_pending);
  if (api.pending_prepared_streaming(prepared_->statement.get(), pending.out()) != DuckDBSuccess) {
    return connection.ErrorOf(api.pending_error(pending.get()), prepared_->sql);
  }
  auto stream = std::unique_ptr<RowStream>(new RowStream());
  stream->running_ = std::make_unique<RowStream::Running>(&connection, prepared_->sql);
  duckdb_result* const result = stream->running_->result.out();
  if (api.execute_pending(pending.get(), result) != DuckDBSuccess) {
    return connection.ErrorOf(api.result_error(result), prepared_->sql);
  }
  *stream->running_->options.out() = api.result_get_arrow_options(result);
  ARROW_ASSIGN_OR_RAISE(stream->schema_, SchemaOf(api, stream->running_->options.get(), result));
  return stream;
}

Session::Session(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
Session::~Session() = default;

Status Session::Register(const std::string& name, RowSource* rows) {
  auto function = std::make_unique<ScanFunction>(connection_->api, rows, connection_->threads);
  ARROW_RETURN_NOT_OK(function->Register(connection_->handle.get(), name));
  connection_->functions->push_back(std::move(function));
  return Run(connection_->functions->back()->ViewSql(name));
}

Result<std::vector<Query>> Session::Prepare(const SqlText& sql) {
  const std::vector<SqlText> statements = SplitStatements(sql);
  if (statements.empty()) {
    return Status::Invalid(sql.file.empty() ? "the text" : sql.file, " has no SQL statement");
  }
  std::vector<Query> queries;
  for (const SqlText& statement : statements) {
    ARROW_RETURN_NOT_OK(PrepareOne(statement, &queries));
  }
  return queries;
}

// DuckDB makes several statements of some, of which the first does not read.
Status Session::PrepareOne(const SqlText& sql, std::vector<Query>* queries) {
  const DuckDbApi& api = *connection_->api;
  Handle<duckdb_extracted_statements> statements(api.destroy_extracted);
  const idx_t count =
      api.extract_statements(connection_->handle.get(), sql.text.c_str(), statements.out());
  if (const char* error = api.extract_statements_error(statements.get())) {
    return connection_->ErrorOf(error, sql);
  }
  for (idx_t i = 0; i < count; ++i) {
    Handle<duckdb_prepared_statement> statement(api.destroy_prepare);
    if (api.prepare_extracted_statement(connection_->handle.get(), statements.get(), i,
                                        statement.out()) != DuckDBSuccess) {
      return connection_->ErrorOf(api.prepare_error(statement.get()), sql);
    }
    // Asked only now: of a statement that failed to prepare, it would end the program.
    const duckdb_statement_type type = api.prepared_statement_type(statement.get());
    ARROW_RETURN_NOT_OK(CheckReadOnly(type, sql));
    queries->push_back(Query(std::make_unique<Query::Prepared>(
        Query::Prepared{connection_.get(), sql, std::move(statement)})));
  }
  return Status::OK();
}

const SqlText& Query::sql() const { return prepared_->sql; }

Result<std::string> Session::Parse(const std::string& sql) {
  return TextOf("SELECT CAST(json_serialize_sql(" + Literal(sql) + ") AS VARCHAR)");
}

Result<std::string> Session::Unparse(const std::string& parsed) {
  return TextOf("SELECT json_deserialize_sql(CAST(" + Literal(parsed) + " AS JSON))");
}

Result<std::string> Session::TextOf(const std::string& sql) {
  ARROW_ASSIGN_OR_RAISE(auto queries, Prepare({sql, "", 1}));
  ARROW_ASSIGN_OR_RAISE(const auto stream, queries.front().Stream());
  ARROW_ASSIGN_OR_RAISE(const auto rows, stream->Next());
  if (rows == nullptr || rows->num_rows() != 1) return Status::Invalid("DuckDB returned no text");
  // To its end: until then its transaction is open, and a table that is registered now is lost.
  ARROW_RETURN_NOT_OK(stream->Next().status());
  return ValueText(*rows->column(0), 0);
}

Status Session::Run(const std::string& sql) {
  const DuckDbApi& api = *connection_->api;
  Handle<duckdb_result> result(api.destroy_result);
  if (api.query(connection_->handle.get(), sql.c_str(), result.out()) == DuckDBSuccess) {
    return Status::OK();
  }
  return connection_->ErrorOf(api.result_error(result.out()), {sql, "", 1});
}

void Session::Interrupt() { connection_->api->interrupt(connection_->handle.get()); }

}  // namespace shopstream::sql
