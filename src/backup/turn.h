#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/runtime.h"
#include "base/status.h"
#include "base/stop.h"
#include "lake/store/object_store.h"

namespace shopstream::backup {

enum class Job { kCreate, kRestore, kPrune };

// Keeps `prune` away from a place while another job runs there, and vice versa:
// creates and restores may run together, a prune runs alone. Each job keeps an object
// running/<job>-<id>.json, and writes it again every 30 s. One that was killed is recognized
// immediately on its own host, elsewhere once its object is 5 minutes old.
class Turn {
 public:
  // Refused: another job runs; the message names it. A restore from a place where it may not
  // write has no object.
  static Result<std::unique_ptr<Turn>> Begin(lake::ObjectStore* place, Job job,
                                             const std::string& id);
  ~Turn();  // Removes the object.
  // Before a step that must not overlap with another job. Refused: this one did not write its
  // object for half of the 5 minutes, so another host may soon treat it as killed.
  Status Check() const;
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Turn(lake::ObjectStore* place, std::string path);
  Status CheckOthers(Job job) const;

  lake::ObjectStore* const place_;
  const std::string path_;  // Empty: no object.
  // When the last successful write of the object began.
  std::atomic<BootClock::time_point> last_written_{BootClock::time_point{}};
  StopSource stop_;
  Thread alive_;
};

}  // namespace shopstream::backup
