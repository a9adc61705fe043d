#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "avro/column_types.h"
#include "base/config.h"
#include "registry/subject.h"
#include "tables/names.h"

namespace shopstream::ingest {

// How records of any schema become rows of Bronze; see IngestConfig for the fields.
struct LayoutOptions {
  std::string table = tables::kBronzePath;
  std::string quarantine_table = tables::kQuarantinePath;
  std::vector<std::string> partition_field = {"region"};
  // Records with other values are quarantined. Empty: any value, up to max_partition_values.
  std::vector<std::string> partition_values = {"US", "EU", "ASIA"};
  int64_t max_partition_values = 100;
  std::string event_time_field = "timestamp";  // Empty: Kafka's timestamp.
  std::string event_time_unit = "";
  int32_t event_time_earliest = 10'957;  // Days since 1970-01-01.
  int64_t event_time_ahead_hours = 24;

  // Records of other types than Bronze's are rows of side tables, see side_layout.h. Otherwise they
  // are quarantined.
  bool side_tables = false;

  avro::ColumnOptions columns = {};     // How decimals of more than 38 digits are stored.
  registry::SubjectNaming naming = {};  // Finds the schema from which a table is created.

  static LayoutOptions From(const Config& config);
};

}  // namespace shopstream::ingest
