#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "sql/duckdb_api.h"
#include "sql/scan_function.h"
#include "sql/sql_text.h"

namespace shopstream::sql {

// What a session and its statements share.
struct Connection {
  const DuckDbApi* api;
  int threads;
  Handle<duckdb_connection> handle;
  std::vector<std::unique_ptr<ScanFunction>>* functions;  // Of the engine.
  std::string spill_folder;

  // The failure of a source if there was one, which DuckDB's message repeats without its kind;
  // otherwise DuckDB's.
  Status ErrorOf(const char* message, const SqlText& sql) const;
};

}  // namespace shopstream::sql
