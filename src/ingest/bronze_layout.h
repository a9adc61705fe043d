#pragma once

#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "avro/schema.h"
#include "base/config.h"
#include "base/status.h"
#include "lake/table.h"
#include "model/lake_names.h"

namespace shopstream::ingest {

// Table properties: the Avro schema that the columns were made from, and where any partition value
// is allowed, those that the table has admitted, as a JSON list.
inline constexpr char kReaderSchemaProperty[] = "shopstream.readerSchema";
inline constexpr char kPartitionValuesProperty[] = "shopstream.partitionValues";

// How records of any schema become rows of Bronze.
struct LayoutOptions {
  std::string table = kBronzePath;
  std::string quarantine_table = kQuarantinePath;
  std::string partition_field = "region";  // A string of the record.
  // Any other: quarantine. Empty: any value, until the table has max_partition_values of them.
  std::vector<std::string> partition_values = {"US", "EU", "ASIA"};
  int64_t max_partition_values = 100;
  std::string event_time_field = "timestamp";  // A timestamp of the record.

  static LayoutOptions From(const Config& config);
};

// The record's columns as the decoder makes them, and the table's columns: the record's without the
// partition field, then Kafka's coordinates, then the partition columns <partition field> and date.
// Immutable once made; a writer with new fields makes another one, see Grow.
struct BronzeLayout {
  // Each column costs a buffer in every cut and a statistic in every file.
  static constexpr int kMaxColumns = 2000;

  avro::Schema reader_schema;
  LayoutOptions options;
  std::shared_ptr<arrow::Schema> record;  // What the decoder fills.
  int partition_column = -1;              // In `record`.
  int event_time_column = -1;             // In `record`; timestamp[us, UTC].
  std::shared_ptr<arrow::Schema>
      file;  // The columns of a data file: the table's but the partition's.
  lake::TableSpec table;

  // Invalid names the field that is missing, of the wrong type, or named like one of ours.
  static Result<BronzeLayout> Make(const avro::Schema& reader_schema, const LayoutOptions& options);
  // The layout that takes in this writer's records too: `layout` itself where it does already.
  // Invalid or NotImplemented says why there is none.
  static Result<std::shared_ptr<const BronzeLayout>> Grow(
      const std::shared_ptr<const BronzeLayout>& layout, const avro::Schema& writer);
  bool any_partition_value() const { return options.partition_values.empty(); }
};

// Whatever the rules of Avro allow: the columns of `before` and their members stay what they were.
Status CheckGrowth(const BronzeLayout& before, const BronzeLayout& after);

lake::TableSpec QuarantineSpec(const std::string& path);

}  // namespace shopstream::ingest
