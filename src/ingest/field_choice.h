#pragma once

#include <string>
#include <vector>

#include "avro/column_paths.h"
#include "base/status.h"

namespace shopstream::ingest {

// A setting that names a field of the record, for messages.
struct FieldSetting {
  const char* key;                      // "ingest.event_time_field"
  std::vector<std::string> candidates;  // Fields that fit, each with its type: "at (date)".
  const char* otherwise;                // A sentence: what to do if none fits.
};

// The column with this path. Invalid: there is none; suggests the nearest and the candidates.
Result<const avro::ColumnPath*> FindField(const std::vector<avro::ColumnPath>& columns,
                                          const std::string& path, const FieldSetting& setting);

// The field exists, but its type does not fit, for this reason; lists the candidates.
Status RefuseField(const avro::ColumnPath& column, const std::string& reason,
                   const FieldSetting& setting);

// What a field is, for messages: "long (timestamp-millis)", "union".
std::string DescribeType(const avro::ColumnPath& column);

}  // namespace shopstream::ingest
