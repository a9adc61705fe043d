#pragma once

#include "base/status.h"
#include "sql/duckdb_api.h"
#include "sql/sql_text.h"

namespace shopstream::sql {

// Invalid: a statement of this type does not only read. `sql`: the text that it is in. An engine
// holds nothing that could be changed, but settings and temporary objects would make a query's
// answer depend on those before it.
Status CheckReadOnly(duckdb_statement_type type, const SqlText& sql);

}  // namespace shopstream::sql
