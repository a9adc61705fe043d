#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/store/object_store.h"
#include "lineage/adding_commit.h"
#include "model/offset_range.h"

namespace shopstream::lineage {

// The records of one Kafka partition in a data file.
struct FilePartition {
  std::string topic_id;
  int32_t partition = 0;
  int64_t rows = 0;
  OffsetRange span = {};                 // From the first to behind the last.
  std::vector<OffsetRange> ranges = {};  // Without gaps; the first of them.
  int64_t ranges_left_out = 0;
};

struct FileLineage {
  std::string table, path;            // The path is relative to the table's root.
  int64_t version = 0;                // Of the table, when it was looked at.
  bool live = false;                  // In this version.
  std::optional<int64_t> removed_ms;  // If it is not, and the log still knows.
  std::optional<int64_t> rows;        // Unknown if it is not live.
  int64_t bytes = 0;
  CommitSearch added;
  bool has_coordinates = false;  // False: its rows come from other rows, as Gold's do.
  std::vector<FilePartition> partitions;
  int64_t rows_without_coordinates = 0;
};
nlohmann::ordered_json ToJson(const FileLineage& file);

// `path`: relative to the lake's root, as in storage. KeyError: it is not below a table. Gone:
// storage does not have it. Reads the coordinates of all of its rows. Cancelled: `stop`
// returned true.
Result<FileLineage> TraceFile(lake::ObjectStore* store, const std::string& path,
                              size_t most_ranges = 1000,
                              const std::function<bool()>& stop = NeverStops);

}  // namespace shopstream::lineage
