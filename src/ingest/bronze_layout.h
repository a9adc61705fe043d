#pragma once

#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "avro/schema.h"
#include "base/status.h"
#include "ingest/event_time.h"
#include "ingest/layout_options.h"
#include "ingest/partitioning.h"
#include "lake/delta/table.h"

namespace shopstream::ingest {

// The record's columns as the decoder fills them, and the table's columns: the record's without
// those of top-level partition fields, then Kafka's coordinates, then the partition columns, of
// which date is the last.
// Immutable: Grow makes a new layout for a writer with new fields.
struct BronzeLayout {
  // Each column costs a buffer in every cut and statistics in every file.
  static constexpr int kMaxColumns = 2000;

  avro::Schema reader_schema;
  LayoutOptions options;
  std::shared_ptr<arrow::Schema> record;  // Filled by the decoder.
  std::vector<std::string> column_names;  // The table's name for each column of `record`.
  std::vector<PartitionField> partition;  // Without the date.
  EventTime event_time;
  std::shared_ptr<arrow::Schema>
      file;  // The columns of a data file: the table's without partition columns.
  lake::TableSpec table;

  // Invalid names a field of the options that is missing or has the wrong type.
  static Result<BronzeLayout> Make(const avro::Schema& reader_schema, const LayoutOptions& options);
  // A layout that also fits this writer's records: `layout` itself if it already does. Invalid or
  // NotImplemented explains why there is none.
  static Result<std::shared_ptr<const BronzeLayout>> Grow(
      const std::shared_ptr<const BronzeLayout>& layout, const avro::Schema& writer);
  // Whether that column of `record` is a partition column, and not in data files.
  bool IsPartitionColumn(int column) const;
  bool any_partition_value() const { return options.partition_values.empty(); }
};

// Invalid: ingest.wide_decimals names a path that has another type. Checked only at the start:
// later, a field that a schema adds must not stop its records.
Status CheckWidePaths(const BronzeLayout& layout);
// A warning if ingest.wide_decimals names a path that the schema does not have, or does not have
// yet.
std::string WarnOfWidePaths(const BronzeLayout& layout);

// Columns of `before` and their members must keep their meaning; Avro's rules would allow more.
Status CheckGrowth(const BronzeLayout& before, const BronzeLayout& after);
// Each field that both have must have the same column in both: if `date_` and `date` are added in
// another order, their columns differ.
Status CheckSameNames(const BronzeLayout& one, const BronzeLayout& other);

}  // namespace shopstream::ingest
