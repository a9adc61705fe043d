#pragma once

#include <arrow/type.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lake/parquet/file_predicate.h"

namespace shopstream::sql {

// By table; a table that is absent is read whole.
using ReadConditions = std::map<std::string, lake::FilePredicate>;

// For each statement of a text, conditions that a row of a table must satisfy to matter to its
// answer. `parsed` is what DuckDB's json_serialize_sql makes of the text; if that is not a list of
// statements (one is an EXPLAIN), the result is empty. `tables`: the columns of each table that the
// text may name.
//
// They come from the WHERE of the SELECT whose FROM names the table, alone or joined, where names
// can only mean the table's columns: comparisons of a column with a constant, BETWEEN, IN, IS NULL,
// and these with AND and OR. Anything else is no condition. Plans are no source, although DuckDB
// moves filters from outer queries there: they show a column by the last alias it had, as in SELECT
// * FROM (SELECT a AS b FROM t) WHERE b = 1.
std::vector<ReadConditions> FindReadConditions(
    const std::string& parsed, const std::map<std::string, std::shared_ptr<arrow::Schema>>& tables);

}  // namespace shopstream::sql
