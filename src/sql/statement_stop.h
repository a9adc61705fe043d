#pragma once

#include <functional>
#include <thread>

#include "base/clock.h"
#include "base/stop.h"
#include "sql/session.h"

namespace shopstream::sql {

// While it lives, the session's statement is stopped as soon as that is asked for. `stop` outlives it; any
// thread calls it, every 50 ms.
class StopsWhenAsked {
 public:
  StopsWhenAsked(Session* session, const std::function<bool()>& stop)
      : watcher_([this, session, &stop] {
          constexpr Millis kPause{50};

}  // namespace shopstream::sql
