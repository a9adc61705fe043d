#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/format.h"
#include "base/status.h"
#include "observe/sample.h"

namespace shopstream::observe {

// When parts are looked at: all at the same moments, so that what they saw belongs together.
struct Schedule {
  BootClock::time_point start;  // The first look.
  Millis interval{5000};
  Millis limit{5000};  // A look that has no answer after this time is shown as unknown.

  // The first look after `now`.
  BootClock::time_point After(BootClock::time_point now) const {
    if (now < start) return start;
    return start + ((now - start) / interval + 1) * interval;
  }
};

// Looks at one part of the system repeatedly, on its own thread, so that a part that hangs holds up
// no other. Thread-safe.
template <typename T>
class PartWatch {
 public:
  // One look. It is given its scheduled time. It runs on the watch's thread and owns what it uses,
  // because one that hangs is left running.
  using Look = std::function<Result<T>(BootClock::time_point scheduled)>;

  PartWatch(const Schedule& schedule, Look look) : state_(std::make_shared<State>()) {
    state_->schedule = schedule;
    std::thread([state = state_, look = std::move(look)]() mutable {
      Run(state.get(), look);
      look = nullptr;  // Closes what it owns.
      const std::lock_guard lock(state->mutex);
      state->stopped = true;
      state->changed.notify_all();
    }).detach();
  }
  // Waits for the current look, until its time limit after RequestStop.
  ~PartWatch() {
    RequestStop();
    std::unique_lock lock(state_->mutex);
    const auto left = *state_->stop_requested + state_->schedule.limit - BootClock::now();
    state_->changed.wait_for(lock, left, [this] { return state_->stopped; });
  }
  PartWatch(const PartWatch&) = delete;
  PartWatch& operator=(const PartWatch&) = delete;

  // Does not wait, so that several watches stop at the same time.
  void RequestStop() {
    const std::lock_guard lock(state_->mutex);
    if (!state_->stop_requested) state_->stop_requested = BootClock::now();
    state_->changed.notify_all();
  }

  // What the last look saw; unknown while the current one is over its time limit.
  Seen<T> latest() const {
    const std::lock_guard lock(state_->mutex);
    return Current(*state_, BootClock::now());
  }
  // Waits for the look that is scheduled at this time, or a later one, within its time limit.
  Seen<T> Await(BootClock::time_point scheduled) const {
    std::unique_lock lock(state_->mutex);
    const auto left = scheduled + state_->schedule.limit - BootClock::now();
    state_->changed.wait_for(
        lock, left, [&] { return state_->stop_requested || state_->seen_of >= scheduled; });
    if (state_->seen_of >= scheduled) return state_->seen;
    return NoAnswer(*state_);
  }

 private:
  struct State {
    Schedule schedule;
    std::mutex mutex;
    std::condition_variable changed;
    Seen<T> seen;                                  // Guarded by mutex, like all below.
    std::optional<BootClock::time_point> seen_of;  // The look that saw it.
    std::optional<BootClock::time_point> looking_since;
    std::optional<BootClock::time_point> stop_requested;
    bool stopped = false;
  };

  static Seen<T> NoAnswer(const State& state) {
    Seen<T> seen;
    seen.unknown = "no answer within " + FormatMillis(state.schedule.limit.count());
    seen.at_ms = state.seen.at_ms;
    seen.looks = state.seen.looks;
    return seen;
  }

  static Seen<T> Current(const State& state, BootClock::time_point now) {
    const bool late = state.looking_since && now - *state.looking_since > state.schedule.limit;
    return late ? NoAnswer(state) : state.seen;
  }

  static Seen<T> LookOnce(const Look& look, BootClock::time_point scheduled) {
    const BootClock::time_point since = BootClock::now();
    Seen<T> seen;
    seen.at_ms = WallClockMillis();
    try {  // What one part throws must not end the process, which watches the others.
      Result<T> result = look(scheduled);
      if (result.ok()) {
        seen.value = std::make_shared<const T>(*std::move(result));
        seen.unknown.clear();
      } else {
        seen.unknown = result.status().message();
      }
    } catch (const std::exception& e) {
      seen.unknown = std::string("unexpected failure: ") + e.what();
    }
    seen.took = std::chrono::duration_cast<Millis>(BootClock::now() - since);
    return seen;
  }

  static void Run(State* state, const Look& look) {
    std::unique_lock lock(state->mutex);
    BootClock::time_point due = state->schedule.start;
    while (true) {
      while (!state->stop_requested && BootClock::now() < due) {
        state->changed.wait_for(lock, due - BootClock::now());
      }
      if (state->stop_requested) return;
      state->looking_since = BootClock::now();
      lock.unlock();
      Seen<T> seen = LookOnce(look, due);
      lock.lock();
      seen.looks = state->seen.looks + 1;
      state->seen = std::move(seen);
      state->seen_of = due;
      state->looking_since.reset();
      state->changed.notify_all();
      due = state->schedule.After(BootClock::now());
    }
  }

  const std::shared_ptr<State> state_;
};

}  // namespace shopstream::observe
