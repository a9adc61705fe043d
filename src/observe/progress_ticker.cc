#include "observe/progress_ticker.h"

#include <fmt/format.h>

#include "base/format.h"
#include "base/shutdown.h"

namespace shopstream::observe {

Status ProgressTicker::Tick(std::string_view what, int64_t count, int64_t total) {
  if (ShutdownRequested()) return Status::Cancelled("the check was interrupted");
  const BootClock::time_point now = BootClock::now();
  const bool at_end = count >= total;
  const bool is_last_line = at_end && begun_ == what;
  if (now < next_ && !is_last_line) return Status::OK();
  next_ = now + interval_;
  begun_ = at_end ? "" : what;
  const double share = at_end ? 1 : static_cast<double>(count) / static_cast<double>(total);
  say_(fmt::format("{}: {} of {} ({} %)", what, FormatCount(count),
                   FormatCount(at_end ? count : total), static_cast<int>(share * 100)));
  return Status::OK();
}

}  // namespace shopstream::observe
