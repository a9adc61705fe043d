#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/store/object_store.h"

namespace shopstream::backup {

// One object to copy, or only to hash.
struct CopyJob {
  std::string from;
  std::string to;      // Empty: it is only read.
  int64_t bytes = -1;  // Expected size; -1: unknown.
  std::string sha256;  // Expected; empty: unknown.
};

struct CopyProgress {
  int64_t files = 0, of_files = 0;
  int64_t bytes = 0, of_bytes = 0;
};

struct CopyOptions {
  int threads = 4;
  std::function<bool()> stop;                            // Null: never.
  std::function<void(const CopyProgress&)> on_progress;  // From the calling thread; may be null.
  // Called for each job that is done, by one thread at a time.
  std::function<void(size_t job, const std::string& sha256)> on_done;
  // Called for each job that failed; OK: continue with the others. Null: stop at the first.
  std::function<Status(size_t job, const Status& failure)> on_failed;
};

// Copies the objects, several at the same time. An object is whole in `to`, or absent. Gone: a
// source does not exist. Corrupt: its size or hash is not the expected one; the copy is not made
// then. Cancelled: stopped. Each error names the object.
Status CopyAll(lake::ObjectStore* from, lake::ObjectStore* to, const std::vector<CopyJob>& jobs,
               const CopyOptions& options);

}  // namespace shopstream::backup
