#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/sql_text.h"

namespace shopstream::sql {

// The words of a text outside of comments and quotes, in capitals; "(", ")" and ";" are words too,
// and so is a quoted name, with its quotes and as written. Text literals and all other signs are
// left out. It is how DuckDB separates statements, not a parser.
std::vector<std::string> SqlWords(std::string_view text);

// The text with double quotes around each occurrence of a word, so that a reserved word names a
// column. `word`: in capitals; it becomes lower case.
std::string WithQuoted(std::string_view text, std::string_view word);

// The statements of a text, each with its place, without the semicolons between them and without
// those that have no words. DuckDB splits a text too, but then names wrong lines in errors of all
// statements but the first.
std::vector<SqlText> SplitStatements(const SqlText& sql);

// Whether a semicolon ends the text, or only spaces and comments follow one.
bool EndsStatement(std::string_view text);

// The statement that an EXPLAIN or EXPLAIN ANALYZE is about; other statements as they are.
std::string_view WithoutExplain(std::string_view text);

}  // namespace shopstream::sql
