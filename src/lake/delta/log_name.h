#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace shopstream::lake {

// The kind of an object in _delta_log, by its name.
struct LogName {
  enum class Kind {
    kEntry,           // <20 digits>.json
    kCheckpoint,      // <20 digits>.checkpoint[.<part, 10 digits>.<parts, 10 digits>].parquet
    kUuidCheckpoint,  // <20 digits>.checkpoint.<uuid>.(json|parquet): V2, not supported
    kCompacted,       // <20 digits>.<20 digits>.compacted.json: `version` is the first
    kChecksum,        // <20 digits>.crc
  };
  Kind kind = Kind::kEntry;
  int64_t version = 0;
  int64_t part = 1;   // For a checkpoint.
  int64_t parts = 1;  // 1: a single file, with the classic name or as part 1 of 1.

  bool operator==(const LogName&) const = default;
};

// `path` may include folders. Nothing for any other name.
std::optional<LogName> ParseLogName(const std::string& path);

// The complete checkpoints with this number of parts among the paths of one version, each as its
// paths. There may be two of a single part: a classic one, and part 1 of 1.
std::vector<std::vector<std::string>> CompleteCheckpoints(int64_t parts,
                                                          const std::vector<std::string>& paths);

}  // namespace shopstream::lake
