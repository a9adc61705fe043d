#include "observe/progress_ticker.h"

#include "base/format.h"
#include "base/shutdown.h"

namespace shopstream::observe {

Status ProgressTicker::Tick(std::string_view what, int64_t count) {
  if (ShutdownRequested()) return Status::Cancelled("the check was interrupted");
  const BootClock::time_point now = BootClock::now();
  if (now < next_) return Status::OK();
  next_ = now + std::chrono::seconds(1);
  say_(std::string(what) + ": " + FormatCount(count));
  return Status::OK();
}

}  // namespace shopstream::observe
