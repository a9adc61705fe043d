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
// Other types are NotImplemented, naming the column or member ("order.lines[].price"); Invalid are
// names of one struct that are equal but for case. A field's Delta metadata travels in the Arrow
// field's metadata, each value as JSON text.
Result<std::string> FormatDeltaSchema(const arrow::Schema& schema);
Result<std::shared_ptr<arrow::Schema>> ParseDeltaSchema(const std::string& schema_string);

// What data files have of these fields: nothing of type void (Arrow's null), at any depth, nor a
// struct, list or map that is left without anything.
arrow::FieldVector StoredFields(const arrow::FieldVector& fields);

// The same of a table: what its data files have, which is nothing of its partition columns.
std::shared_ptr<arrow::Schema> StoredSchema(const arrow::Schema& table,
                                            const std::vector<std::string>& partition_columns);

// Refuses a table whose data files are not Parquet, by the provider that its metaData names;
// nothing where it names none.
Status CheckDataFormat(const std::optional<std::string>& provider);

}  // namespace shopstream::lake
