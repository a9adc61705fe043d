#include "base/stop.h"

namespace shopstream {

void StopSource::Request() {
  {
    const std::lock_guard lock(mutex_);
    requested_ = true;
  }
  changed_.NotifyAll();
}

bool StopSource::requested() const {
  const std::lock_guard lock(mutex_);
  return requested_;
}

bool StopSource::WaitFor(Millis pause) {
  std::unique_lock lock(mutex_);
  return changed_.WaitFor(&lock, pause, [this] { return requested_; });
}

bool StopToken::requested() const {
  return source_ != nullptr ? source_->requested() : asked_ && asked_();
}

bool StopToken::WaitFor(Millis pause) const {
  if (source_ != nullptr) return source_->WaitFor(pause);
  if (asked_) return SleepUnless(asked_, pause);
  Sleep(pause);
  return false;
}

}  // namespace shopstream
