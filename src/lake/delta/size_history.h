#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/status.h"
#include "lake/delta/log_reader.h"
#include "lake/delta/table_state.h"
#include "lake/store/object_store.h"

namespace shopstream::lake {

// A table's size as of one version.
struct SizePoint {
  int64_t version = 0;
  int64_t time_ms = 0;  // By the writer's clock.
  int64_t files = 0, bytes = 0;
  int64_t rows = 0;  // In files whose rows are known.
};

// How a table grew, from its log: the last kMostVersions versions. Each call reads what is new
// since the one before. Its memory is that of one number for each live file. One thread.
class SizeHistory {
 public:
  static constexpr int64_t kMostVersions = 2'000;

  SizeHistory(ObjectStore* store, std::string table) : store_(store), table_(std::move(table)) {}

  // Ascending by version. KeyError: no such table.
  Result<const std::vector<SizePoint>*> Read();

 private:
  struct Size {
    int64_t bytes = 0, rows = 0;
  };

  Status Start(const LogSpan& span);
  void Take(const LogEntry& entry);
  void Note(int64_t version, int64_t time_ms);

  ObjectStore* const store_;
  const std::string table_;
  std::unordered_map<uint64_t, Size> live_;  // By a hash of the path.
  SizePoint now_;                            // Of the newest version that was read.
  std::vector<SizePoint> points_;
};

}  // namespace shopstream::lake
