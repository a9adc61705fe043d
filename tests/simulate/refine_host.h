#pragma once

#include <functional>
#include <memory>

#include "base/status.h"
#include "refine/refine_loop.h"
#include "simulate/memory_pages.h"
#include "simulate/refine_mistakes.h"
#include "simulate/refine_world.h"

namespace shopstream::simulate {

// A machine on which one refine at a time runs, and its disk with the index of seen ids.
class RefineHost {
 public:
  RefineHost(RefineWorld* world, RefineMistake mistake) : world_(world), mistake_(mistake) {}

  // The program, until it has done what the mode says, or until `stop`.
  Status Run(const refine::RefineMode& mode, const std::function<bool()>& stop);

  // While no refine runs: 0 deletes the index, 1 kills the next refine in the middle of a write to
  // it, 2 stops the machine, so that only what was synced is left for sure.
  void LoseIndex(int how);
  // From now on only what has happened to the disk counts.
  void StopTrouble() { kills_at_write_ = false; }

 private:
  class Disk;
  class DiskFile;

  RefineWorld* const world_;
  const RefineMistake mistake_;
  MemoryPages pages_;
  bool kills_at_write_ = false;
};

}  // namespace shopstream::simulate
