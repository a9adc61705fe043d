#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace shopstream::lake {

// What an object of _delta_log is, by its name.
struct LogName {
  enum class Kind {
    kEntry,           // <20 digits>.json
    kCheckpoint,      // <20 digits>.checkpoint[.<part, 10 digits>.<parts, 10 digits>].parquet
    kUuidCheckpoint,  // <20 digits>.checkpoint.<uuid>.(json|parquet): V2, which we do not read
    kCompacted,       // <20 digits>.<20 digits>.compacted.json: `version` is the first
    kChecksum,        // <20 digits>.crc
  };
  Kind kind = Kind::kEntry;
  int64_t version = 0;
  int64_t part = 1;   // Of a checkpoint.
  int64_t parts = 1;  // 1: a single file, classic or named part 1 of 1.

  bool operator==(const LogName&) const = default;
};

// `path` may have folders before the name. Nothing for a name that is none of the above.
std::optional<LogName> ParseLogName(const std::string& path);

// The complete checkpoints among the paths of one version that have this number of parts, each as
// its paths. Of a single part there may be two: a classic one, and part 1 of 1.
std::vector<std::vector<std::string>> CompleteCheckpoints(int64_t parts,
                                                          const std::vector<std::string>& paths);

}  // namespace shopstream::lake
