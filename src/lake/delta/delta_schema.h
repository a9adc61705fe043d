#pragma once

#include <arrow/type.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace shopstream::lake {

// Arrow <-> metaData.schemaString (Delta protocol, "Schema Serialization Format").
//
//   Arrow                  Delta          Arrow                   Delta
//   utf8                   string         float32                 float
//   int64                  long           float64                 double
//   int32                  integer        decimal128(p, s)        decimal(p,s)
//   int16                  short          bool                    boolean
//   int8                   byte           date32                  date
//   binary                 binary         timestamp[us, UTC]      timestamp
//   struct                 struct         list                    array
//   map                    map            null                    void
//
// Other types are NotImplemented, naming the column or member ("order.lines[].price"). Invalid:
// names in one struct that differ only in case. A field's Delta metadata is in the Arrow field's
// metadata, each value as JSON text.
Result<std::string> FormatDeltaSchema(const arrow::Schema& schema);
Result<std::shared_ptr<arrow::Schema>> ParseDeltaSchema(const std::string& schema_string);

// The part of these fields that data files store: without type void (Arrow's null), at any depth,
// and without structs, lists and maps that would be empty.
arrow::FieldVector StoredFields(const arrow::FieldVector& fields);

// The columns that a table's data files have: all but its partition columns.
std::shared_ptr<arrow::Schema> StoredSchema(const arrow::Schema& table,
                                            const std::vector<std::string>& partition_columns);

// Refuses a table whose data files are not Parquet, according to the provider in its metaData; a
// missing provider is accepted.
Status CheckDataFormat(const std::optional<std::string>& provider);

}  // namespace shopstream::lake
