#pragma once

#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "avro/schema.h"
#include "base/status.h"
#include "lake/table.h"

namespace shopstream::ingest {

// The table property that keeps the Avro schema its columns were made from.
inline constexpr char kReaderSchemaProperty[] = "shopstream.readerSchema";

// How records of any schema become rows of Bronze.
struct LayoutOptions {
  std::string partition_field = "region";                            // A string of the record.
  std::vector<std::string> partition_values = {"US", "EU", "ASIA"};  // Any other: quarantine.
  std::string event_time_field = "timestamp";                        // A timestamp of the record.
};

// The record's columns as the decoder makes them, and the table's columns: the record's without the
// partition field, then Kafka's coordinates, then the partition columns <partition field> and date.
struct BronzeLayout {
  avro::Schema reader_schema;
  std::shared_ptr<arrow::Schema> record;  // What the decoder fills.
  int partition_column = -1;              // In `record`.
  int event_time_column = -1;             // In `record`; timestamp[us, UTC].
  std::vector<std::string> partition_values;
  std::shared_ptr<arrow::Schema>
      file;  // The columns of a data file: the table's but the partition's.
  lake::TableSpec table;

  // Invalid names the field that is missing, of the wrong type, or named like one of ours.
  static Result<BronzeLayout> Make(const avro::Schema& reader_schema, const LayoutOptions& options);
};

lake::TableSpec QuarantineSpec();

}  // namespace shopstream::ingest
