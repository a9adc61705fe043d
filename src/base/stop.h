#pragma once

#include <functional>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "base/runtime.h"

namespace shopstream {

// Tells running work to stop. Thread-safe.
class StopSource {
 public:
  void Request();  // Wakes all waiters. Permanent.
  bool requested() const;
  // Waits until the pause is over or a stop is requested. Returns whether it was requested.
  bool WaitFor(Millis pause);

 private:
  mutable std::mutex mutex_;
  Signal changed_;
  bool requested_ = false;  // Guarded by mutex_.
};

// Running work asks it whether to stop, and waits on it meanwhile.
class StopToken {
 public:
  StopToken() = default;  // Never stops.
  // Borrowed; outlives the token.
  explicit StopToken(StopSource* source) : source_(source) {}
  // Stops once `asked` returns true; a wait calls it every 50 ms.
  explicit StopToken(std::function<bool()> asked) : asked_(std::move(asked)) {}

  bool requested() const;
  // As StopSource::WaitFor.
  bool WaitFor(Millis pause) const;

 private:
  StopSource* source_ = nullptr;
  std::function<bool()> asked_;
};

}  // namespace shopstream
