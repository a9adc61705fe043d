#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/command.h"
#include "cli/query_output.h"
#include "lake/store/object_store.h"
#include "sql/catalog.h"
#include "sql/sql_text.h"

namespace shopstream::cli {

struct QueryFlags {
  std::string sql;
  std::optional<std::string> file;
  std::optional<std::string> output;
  QueryFormat format = QueryFormat::kTable;
  sql::ReadVersions versions;
  bool no_archive = false;
  std::vector<std::string> table_versions;  // Added to `versions` by CheckFlags.
};

// How a text is run.
struct QueryMode {
  // Asked every 50 ms; true stops the statement.
  std::function<bool()> stop;
  bool footer = true;  // What was read, on standard error.
};

// Runs the statements of a text and prints their results. Cancelled: it was stopped.
Status RunSql(const Context& context, const QueryFlags& flags, lake::ObjectStore* store,
              const sql::SqlText& text, const QueryMode& mode);

}  // namespace shopstream::cli
