#pragma once

#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "avro/schema.h"
#include "base/config.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "tables/names.h"

namespace shopstream::ingest {

// How records of any schema become rows of Bronze.
struct LayoutOptions {
  std::string table = tables::kBronzePath;
  std::string quarantine_table = tables::kQuarantinePath;
  std::string partition_field = "region";  // A string field of the record.
  // Records with other values are quarantined. Empty: any value, up to max_partition_values.
  std::vector<std::string> partition_values = {"US", "EU", "ASIA"};
  int64_t max_partition_values = 100;
  std::string event_time_field = "timestamp";  // A timestamp field of the record.

  static LayoutOptions From(const Config& config);
};

// The record's columns as the decoder fills them, and the table's columns: the record's without the
// partition field, then Kafka's coordinates, then the partition columns <partition field> and date.
// Immutable: Grow makes a new layout for a writer with new fields.
struct BronzeLayout {
  // Each column costs a buffer in every cut and statistics in every file.
  static constexpr int kMaxColumns = 2000;

  avro::Schema reader_schema;
  LayoutOptions options;
  std::shared_ptr<arrow::Schema> record;  // Filled by the decoder.
  int partition_column = -1;              // In `record`.
  int event_time_column = -1;             // In `record`; timestamp[us, UTC].
  std::shared_ptr<arrow::Schema>
      file;  // The columns of a data file: the table's without partition columns.
  lake::TableSpec table;

  // Invalid names a field that is missing, has the wrong type, or clashes with one of our columns.
  static Result<BronzeLayout> Make(const avro::Schema& reader_schema, const LayoutOptions& options);
  // A layout that also fits this writer's records: `layout` itself if it already does. Invalid or
  // NotImplemented explains why there is none.
  static Result<std::shared_ptr<const BronzeLayout>> Grow(
      const std::shared_ptr<const BronzeLayout>& layout, const avro::Schema& writer);
  bool any_partition_value() const { return options.partition_values.empty(); }
};

// Columns of `before` and their members must keep their meaning; Avro's rules would allow more.
Status CheckGrowth(const BronzeLayout& before, const BronzeLayout& after);

}  // namespace shopstream::ingest
