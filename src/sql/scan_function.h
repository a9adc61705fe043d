#pragma once

#include <mutex>
#include <string>

#include "base/status.h"
#include "sql/duckdb_api.h"
#include "sql/row_source.h"

namespace shopstream::sql {

// A row source as a table function of DuckDB, and a view of the function as a table.
//
// Column 0 of the function is hidden by the view and always null: for count(*) DuckDB asks for
// column 0, whatever it is, and reading a real one would cost as much as any query.
class ScanFunction {
 public:
  // Borrowed; both outlive the database.
  ScanFunction(const DuckDbApi* api, RowSource* rows, int threads)
      : api_(api), rows_(rows), threads_(threads) {}

  // Registers the function scan_<name>. NotImplemented: a column has a type that SQL lacks.
  Status Register(duckdb_connection connection, const std::string& name);
  // The statement that creates the view.
  std::string ViewSql(const std::string& name) const;

  // The first failure of a scan since the last call, with its kind: DuckDB keeps only its text.
  Status TakeFailure();

 private:
  struct Active;  // A scan of one statement.
  struct Local;   // One thread's part of it.

  static void Bind(duckdb_bind_info info);
  static void Init(duckdb_init_info info);
  static void InitLocal(duckdb_init_info info);
  static void Fill(duckdb_function_info info, duckdb_data_chunk chunk);

  Result<Active*> Start(duckdb_init_info info);
  Status FillChunk(Active* active, Local* local, duckdb_data_chunk chunk);
  Status Keep(const Status& failure);

  const DuckDbApi* const api_;
  RowSource* const rows_;
  const int threads_;
  std::mutex mutex_;
  Status failure_;  // Guarded by mutex_.
};

// "a" -> "\"a\"": a name of SQL that is taken as it is.
std::string Quoted(const std::string& name);

}  // namespace shopstream::sql
