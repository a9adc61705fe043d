#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/clock.h"
#include "base/config.h"
#include "base/retry.h"
#include "base/status.h"
#include "refine/columns.h"
#include "refine/refine_stats.h"
#include "refine/refiner.h"
#include "tables/refine_halt.h"

namespace shopstream::refine {

struct RefineMode {
  bool watch = false;  // False: until everything is refined that Bronze has at the start.
  std::optional<DatesToRestate> restate = {};   // Instead; without `watch`.
  std::optional<tables::RefineTask> task = {};  // Likewise; see RefinerOptions.
  // Makes the mode of any refine complete: whoever refines may have to finish an erase.
  tables::EraseQuarantine erase_quarantine = {};
};

struct RefineEnd {
  bool interrupted = false;
  std::optional<tables::RefineHalt> halt;  // It ended because of it.
  std::optional<int64_t> task = {};        // The pass of the mode's task, once it is reserved.
};

struct LoopOptions {
  Millis interval{2000};  // Between two looks at Bronze, or two passes of a trickle.
  BackoffOptions patience{
      .first = Millis{200}, .longest = Millis{5000}, .give_up_after = Millis{600'000}};
};

// Takes steps until `stop`, or as the mode says; a stop also interrupts the search of an erase.
// `on_tick` is called before each step, about every second of a pause, and between the files that
// an erase searches. An error: a step failed for another reason than that storage does not
// answer, or patience ran out.
Result<RefineEnd> RunSteps(Refiner* refiner, const RefineMode& mode, const LoopOptions& options,
                           const std::function<bool()>& stop, const std::function<void()>& on_tick);

// Whether the files that refine reads can be used with a Bronze of these columns. Errors name the
// file, and its line if there is one.
Status CheckRefineFiles(const Config& config, const RefineColumns& columns);

// Opens the lake, the rules and the index of seen ids as configured, and refines.
Result<RefineEnd> RunRefine(const Config& config, const RefineMode& mode, RefineStats* stats,
                            const std::function<bool()>& stop,
                            const std::function<void()>& on_tick);

}  // namespace shopstream::refine
