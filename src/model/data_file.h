#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace shopstream {

// In the order of the table's partition columns; null and empty are the same value (nullopt).
using PartitionValues = std::vector<std::pair<std::string, std::optional<std::string>>>;

// One immutable Parquet file of a table, as named by an `add` action of the Delta log.
struct DataFile {
  std::string
      path;  // Relative to the table's root, not URL-encoded: "region=US/date=2025-10-24/x.parquet"
  PartitionValues partition_values;
  int64_t size_bytes = 0;
  int64_t rows = 0;         // -1: unknown, its writer gave no statistics.
  int64_t modified_ms = 0;  // Unix epoch.
  std::string statistics;   // The JSON text of `add.stats`; empty if the writer gave none.
};

}  // namespace shopstream
