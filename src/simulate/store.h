#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lake/store/object_store.h"
#include "simulate/scheduler.h"

namespace shopstream::simulate {

// The probability of each fault in a call to the store, from 0 to 1.
struct StoreFaults {
  double fails_before = 0;  // Unavailable; nothing was done.
  double loses_reply = 0;   // Done, and then unavailable.
  double tears = 0;         // Half of a write exists under a hidden name (TornPath). Unavailable.
  double lands_late = 0;    // Unavailable, and the write or deletion happens up to 40 s later.
  double is_slow = 0;       // The call takes up to 3 s; a listing shows the state before the call.
  double crashes = 0;       // The program dies before, during or after the call.
};

// The objects of one store, shared by any number of programs. It guarantees what lake::ObjectStore
// requires of a store, and no more.
class SimulatedStore {
 public:
  explicit SimulatedStore(Scheduler* scheduler) : scheduler_(scheduler) {}

  StoreFaults faults;  // Applied to every call of a program.
  // Called after an object was created by PutIfAbsent, at that moment. May be empty.
  std::function<void(const std::string& path, const arrow::Buffer& content)> on_create;
  // Suspends the program for this long in the middle of its next write.
  void SuspendAtWrite(int program, Millis for_as_long) { suspend_[program] = for_as_long; }

  // The store as a program sees it. Outside any program calls take no time and never fail.
  std::unique_ptr<lake::ObjectStore> Open() { return Open(/*for_checks=*/false); }
  // The same inside a program, for checks.
  std::unique_ptr<lake::ObjectStore> OpenForChecks() { return Open(/*for_checks=*/true); }

 private:
  class Client;
  class Output;
  struct Object {
    std::shared_ptr<arrow::Buffer> content;
    int64_t modified_ms = 0;
  };

  std::unique_ptr<lake::ObjectStore> Open(bool for_checks);
  bool Create(const std::string& path, std::shared_ptr<arrow::Buffer> content);
  void Write(const std::string& path, std::shared_ptr<arrow::Buffer> content);

  Scheduler* const scheduler_;
  std::map<std::string, Object> objects_;
  std::map<int, Millis> suspend_;  // By program.
};

}  // namespace shopstream::simulate
