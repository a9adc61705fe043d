#pragma once

namespace shopstream::refine {

// How the commit of a pass to one table ended, if no error prevented it.
enum class PassOutcome {
  kDone,   // The table holds the pass, by this refine or another one.
  kLost,   // The table no longer is where the pass begins: another refine was faster. Look again.
  kAgain,  // Not known, or other writers were faster until the deadline. Call it again.
};

}  // namespace shopstream::refine
