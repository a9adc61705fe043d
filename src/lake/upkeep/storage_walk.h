#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/store/object_store.h"

namespace shopstream::lake {

// One step of the walk and its outcome.
struct StorageStep {
  enum class State { kOk, kFailed, kNotTried };

  const char* name;
  State state = State::kNotTried;
  std::optional<double> milliseconds{};  // Nothing: not tried, or not measured.
  std::string detail{};                  // What it found, or why it failed; may be empty.
};

// "ok", "failed", "not tried"
const char* Name(StorageStep::State state);

struct StorageReport {
  std::vector<StorageStep> steps;
  bool failed = false;
};

// Exercises every operation that the lake needs of a store, in a new folder below `folder`, which
// it removes. Each step builds on those before it: after the first failure the others are skipped.
StorageReport WalkStorage(ObjectStore* store, const std::string& folder);

}  // namespace shopstream::lake
