#pragma once

#include <arrow/array.h>
#include <arrow/type.h>

#include "base/status.h"
#include "sql/duckdb_api.h"

namespace shopstream::sql {

// The type of SQL in which a column of a table is read. NotImplemented: DuckDB has none for it.
Result<Handle<duckdb_logical_type>> SqlType(const DuckDbApi& api, const arrow::DataType& type);

// Copies the values into a vector of their SqlType, from its first row on. At most as many as a
// vector holds. Invalid: a text is not UTF-8, which DuckDB relies on.
//
// Values are copied because DuckDB's own conversion (duckdb_data_chunk_from_arrow in 1.4) ties the
// memory of all columns to the first one, and a projection may drop that one.
Status FillVector(const DuckDbApi& api, const arrow::Array& values, duckdb_vector vector);

}  // namespace shopstream::sql
