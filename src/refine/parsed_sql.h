#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "sql/sql_text.h"

// What sql::Session::Parse makes of a text: the expressions and SELECTs of DuckDB's parser.
namespace shopstream::refine {

using Parsed = nlohmann::ordered_json;

// The only statement of the text, a SELECT or several with UNION. Invalid: there are more, or
// DuckDB cannot parse it.
Result<Parsed> OnlyNode(const std::string& parsed, const sql::SqlText& text);

// The line of the file on which the expression or table begins; the text's first one if DuckDB does
// not know.
int LineOf(const Parsed& node, const sql::SqlText& text);

inline bool IsClass(const Parsed& expression, const char* name) {
  return expression.value("class", "") == name;
}
// The name of a column, without its table's; nothing: the expression is something else.
std::optional<std::string> ColumnName(const Parsed& expression);
// The name under which a SELECT returns the expression; nothing: DuckDB makes one up.
std::optional<std::string> OutputName(const Parsed& expression);

// Visits all expressions of which this one consists, itself first, but not those of a SELECT
// within.
void VisitExpressions(const Parsed& expression,
                      const std::function<void(const Parsed& expression)>& visit);

// What a SELECT has besides its columns, FROM and WHERE, by the words of SQL that ask for it:
// "LIMIT". Nothing: it has none of that. GROUP BY is not looked at.
std::optional<std::string> FurtherClause(const Parsed& select);

}  // namespace shopstream::refine
