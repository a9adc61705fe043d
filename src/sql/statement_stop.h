#pragma once

#include <functional>
#include <thread>

#include "base/clock.h"
#include "base/stop.h"
#include "sql/session.h"

namespace shopstream::sql {

// While it lives, the session's statement is stopped as soon as that is asked for. `stop` outlives
// it; another thread calls it every 50 ms.
class StopsWhenAsked {
 public:
  StopsWhenAsked(Session* session, const std::function<bool()>& stop)
      : watcher_([this, session, &stop] {
          constexpr Millis kPause{50};
          while (!done_.WaitFor(kPause)) {
            // Again and again: one that comes between two statements is lost.
            if (stop()) session->Interrupt();
          }
        }) {}
  StopsWhenAsked(const StopsWhenAsked&) = delete;
  StopsWhenAsked& operator=(const StopsWhenAsked&) = delete;
  ~StopsWhenAsked() {
    done_.Request();
    watcher_.join();
  }

 private:
  StopSource done_;
  std::thread watcher_;  // Last: it uses the others.
};

}  // namespace shopstream::sql
