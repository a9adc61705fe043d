#pragma once

#include <arrow/type_fwd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "avro/column_paths.h"
#include "avro/columns.h"
#include "base/status.h"
#include "ingest/layout_options.h"

namespace shopstream::ingest {

// A field of the record that is a partition column of the table. A nested one is also in its
// struct; one at the top is in the partition column only.
struct PartitionField {
  std::string path;    // In the record: "head.land".
  std::string column;  // In the table: "head_land".
  int place = -1;      // Its column, for avro::Columns.
  std::shared_ptr<arrow::DataType> type;

  bool nested() const { return path.find('.') != std::string::npos; }
  bool is_text() const { return type->id() == arrow::Type::STRING; }
};

// The values of one partition, a text for each field; the empty one is null.
using PartitionTuple = std::vector<std::string>;

inline bool IsNull(const PartitionTuple& tuple) {
  return std::ranges::all_of(tuple, [](const std::string& text) { return text.empty(); });
}

// The fields of the options, without the names of their columns. Invalid: no such field, or a type
// that cannot partition; names candidates.
Result<std::vector<PartitionField>> ResolvePartition(const std::vector<avro::ColumnPath>& columns,
                                                     const LayoutOptions& options);

// Sets the names of the nested fields' columns, "head_land", and returns the name in the table of
// each of the record's columns. A name that equals, ignoring case, one of Bronze's own columns, a
// nested partition column or an earlier field gets underscores at its end until it is free. It
// depends on the order of the fields only: a field that is added at the end renames no other.
std::vector<std::string> ColumnNames(const arrow::Schema& record,
                                     std::vector<PartitionField>* partition);

// The text of a row's value, as the log has it; nothing for null. The empty text is null, too.
std::optional<std::string> PartitionText(const PartitionField& field, const avro::Columns& columns,
                                         int64_t row);

}  // namespace shopstream::ingest
