#include "sql/read_only.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/format.h"
#include "sql/sql_words.h"

namespace shopstream::sql {
namespace {

std::string_view StatementName(duckdb_statement_type type) {
  switch (type) {
    case DUCKDB_STATEMENT_TYPE_INSERT:
      return "INSERT";
    case DUCKDB_STATEMENT_TYPE_UPDATE:
      return "UPDATE";
    case DUCKDB_STATEMENT_TYPE_DELETE:
      return "DELETE";
    case DUCKDB_STATEMENT_TYPE_CREATE:
      return "CREATE";
    case DUCKDB_STATEMENT_TYPE_DROP:
      return "DROP";
    case DUCKDB_STATEMENT_TYPE_COPY:
      return "COPY";
    case DUCKDB_STATEMENT_TYPE_ATTACH:
      return "ATTACH";
    case DUCKDB_STATEMENT_TYPE_SET:
    case DUCKDB_STATEMENT_TYPE_VARIABLE_SET:
      return "SET";
    case DUCKDB_STATEMENT_TYPE_PRAGMA:
      return "PRAGMA";
    case DUCKDB_STATEMENT_TYPE_LOAD:
      return "INSTALL and LOAD";
    case DUCKDB_STATEMENT_TYPE_CALL:
      return "CALL";
    default:
      return "this statement";
  }
}

// Whether what an EXPLAIN explains only reads: with ANALYZE, it is run.
bool ExplainsQueries(const std::vector<std::string>& words) {
  constexpr std::string_view kQueries[] = {"SELECT", "WITH",     "FROM", "VALUES",
                                           "TABLE",  "DESCRIBE", "SHOW", "SUMMARIZE",
                                           "PIVOT",  "UNPIVOT",  "("};
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] != "EXPLAIN" || (i > 0 && words[i - 1] != ";")) continue;
    size_t next = i + 1;
    if (next < words.size() && words[next] == "ANALYZE") ++next;
    const bool has_options = next + 1 < words.size() && words[next] == "(" &&
                             (words[next + 1] == "FORMAT" || words[next + 1] == "ANALYZE");
    if (has_options) {
      next = static_cast<size_t>(std::find(words.begin(), words.end(), ")") - words.begin()) + 1;
    }
    if (next >= words.size() || std::ranges::count(kQueries, words[next]) == 0) return false;
  }
  return true;
}

// Functions that write, or run what a text contains.
constexpr std::string_view kRefusedFunctions[] = {
    "enable_logging", "disable_logging", "truncate_duckdb_logs",
    "write_log",      "checkpoint",      "force_checkpoint",
    "query",          "query_table",     "json_execute_serialized_sql"};

// Empty: none is called.
std::string RefusedFunction(const std::vector<std::string>& words) {
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    const bool is_quoted = words[i].starts_with('"');
    const std::string name =
        ToLower(is_quoted ? words[i].substr(1, words[i].size() - 2) : words[i]);
    if (words[i + 1] == "(" && std::ranges::count(kRefusedFunctions, name) > 0) return name;
  }
  return "";
}

}  // namespace

Status CheckReadOnly(duckdb_statement_type type, const SqlText& sql) {
  const std::vector<std::string> words = SqlWords(sql.text);
  const std::string place = sql.file.empty() ? "" : sql.file + ": ";
  if (const std::string function = RefusedFunction(words); !function.empty()) {
    return Status::Invalid(place, "queries only read: ", function, " is not allowed");
  }
  if (type == DUCKDB_STATEMENT_TYPE_SELECT) return Status::OK();
  if (type == DUCKDB_STATEMENT_TYPE_EXPLAIN) {
    if (ExplainsQueries(words)) return Status::OK();
    return Status::Invalid(place, "queries only read: EXPLAIN what is a query itself");
  }
  if (std::ranges::count(words, "PIVOT") > 0) {
    return Status::Invalid(place,
                           "this PIVOT would have to look for its columns first: list their "
                           "values, as in PIVOT t ON region IN ('US', 'EU') USING count(*)");
  }
  return Status::Invalid(place, "queries only read: ", StatementName(type),
                         " is not allowed; SELECT, DESCRIBE, SHOW, SUMMARIZE and EXPLAIN are");
}

}  // namespace shopstream::sql
