#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lake/object_store.h"
#include "simulate/scheduler.h"

namespace shopstream::simulate {

// How often what befalls a call of the store, from 0 to 1.
struct StoreFaults {
  double fails_before = 0;  // IOError; nothing was done.
  double loses_reply = 0;   // Done, and then IOError.
  double tears = 0;       // A write is begun: half of it lies beside under a hidden name. IOError.
  double lands_late = 0;  // IOError, and the write or deletion happens up to 40 s later.
  double is_slow = 0;     // The call takes up to 3 s; a listing shows what was there before.
  double crashes = 0;     // The program dies before, during or after the call.
};

// The objects of one store, which any number of programs share. What it promises is what
// lake::ObjectStore asks of a store, and no more.
class SimulatedStore {
 public:
  explicit SimulatedStore(Scheduler* scheduler) : scheduler_(scheduler) {}

  StoreFaults faults;  // Of every call that a program makes.
  // The program is suspended for so long in the middle of its next write.
  void SuspendAtWrite(int program, Millis for_as_long) { suspend_[program] = for_as_long; }

  // The store as a program sees it. Outside any program calls take no time and never fail.
  std::unique_ptr<lake::ObjectStore> Open() { return Open(/*for_checks=*/false); }
  // Likewise inside: for those who check what is there.
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
