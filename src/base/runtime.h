#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/clock.h"

namespace shopstream {

// The interface to time, threads and random numbers. A program uses the operating system's. A
// simulation installs its own on its thread; BootClock, WallClockMillis and everything below then
// use it instead, so that one thread can run several programs and a seed decides their order.
class Runtime {
 public:
  virtual ~Runtime() = default;
  virtual BootClock::time_point Now() = 0;
  virtual int64_t WallClockMillis() = 0;
  virtual uint64_t RandomBits() = 0;
  // Until WakeAll is called with the same key, or `deadline`; may return early.
  virtual void WaitOn(const void* key, BootClock::time_point deadline) = 0;
  virtual void WakeAll(const void* key) = 0;
  // Runs `body` concurrently. Returns a number for JoinThread, which must be called once.
  virtual int64_t StartThread(std::function<void()> body) = 0;
  virtual void JoinThread(int64_t number) = 0;

  // The calling thread's; null: the operating system's. Borrowed.
  static Runtime* Simulated() { return simulated_; }
  static void Simulate(Runtime* runtime) { simulated_ = runtime; }

 private:
  static inline thread_local constinit Runtime* simulated_ = nullptr;
};

void Sleep(Millis pause);
// Sleeps until the pause is over or `stop`, called every 50 ms, returns true. Returns whether it
// stopped.
bool SleepUnless(const std::function<bool()>& stop, Millis pause);

// From the operating system's source, so that a forked or restored process never repeats them.
uint64_t RandomBits();

// A thread. Join it before it is destroyed.
class Thread {
 public:
  Thread() = default;
  explicit Thread(std::function<void()> body);
  bool joinable() const { return simulated_ >= 0 || real_.joinable(); }
  void join();

 private:
  std::thread real_;
  int64_t simulated_ = -1;
};

// A condition variable.
class Signal {
 public:
  void NotifyAll();
  // Waits until `ready`, called while `lock` is held, returns true.
  template <typename Ready>
  void Wait(std::unique_lock<std::mutex>* lock, const Ready& ready) {
    if (Runtime::Simulated() != nullptr) {
      while (!ready()) WaitSimulated(lock, BootClock::time_point::max());
    } else {
      changed_.wait(*lock, ready);
    }
  }
  // The same, at most until `timeout` has passed. Returns the last result of `ready`.
  template <typename Ready>
  bool WaitFor(std::unique_lock<std::mutex>* lock, Millis timeout, const Ready& ready) {
    if (Runtime::Simulated() == nullptr) return changed_.wait_for(*lock, timeout, ready);
    const BootClock::time_point deadline = BootClock::now() + timeout;
    while (!ready()) {
      if (BootClock::now() >= deadline) return false;
      WaitSimulated(lock, deadline);
    }
    return true;
  }

 private:
  void WaitSimulated(std::unique_lock<std::mutex>* lock, BootClock::time_point deadline);

  std::condition_variable changed_;
};

}  // namespace shopstream
