#include "base/runtime.h"

#include <arrow/util/logging.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace shopstream {
namespace {

constexpr Millis kAskEvery{50};

}  // namespace

void Sleep(Millis pause) {
  Runtime* const simulated = Runtime::Simulated();
  if (simulated == nullptr) return std::this_thread::sleep_for(pause);
  // Nobody else has the address, so only the deadline wakes it.
  const BootClock::time_point until = BootClock::now() + pause;
  while (BootClock::now() < until) simulated->WaitOn(&until, until);
}

bool SleepUnless(const std::function<bool()>& stop, Millis pause) {
  const BootClock::time_point until = BootClock::now() + pause;
  while (!stop()) {
    const auto left = std::chrono::ceil<Millis>(until - BootClock::now());
    if (left <= Millis::zero()) return false;
    Sleep(std::min(left, kAskEvery));
  }
  return true;
}

uint64_t RandomBits() {
  if (Runtime* const simulated = Runtime::Simulated()) return simulated->RandomBits();
  uint64_t bits = 0;
  // Fails only on a system without a randomness source, where no name would be safe.
  ARROW_CHECK_EQ(::getentropy(&bits, sizeof(bits)), 0);
  return bits;
}

Thread::Thread(std::function<void()> body) {
  if (Runtime* const simulated = Runtime::Simulated()) {
    simulated_ = simulated->StartThread(std::move(body));
  } else {
    real_ = std::thread(std::move(body));
  }
}

void Thread::join() {
  if (simulated_ < 0) return real_.join();
  Runtime::Simulated()->JoinThread(std::exchange(simulated_, -1));
}

void Signal::NotifyAll() {
  changed_.notify_all();
  if (Runtime* const simulated = Runtime::Simulated()) simulated->WakeAll(this);
}

void Signal::WaitSimulated(std::unique_lock<std::mutex>* lock, BootClock::time_point deadline) {
  lock->unlock();
  Runtime::Simulated()->WaitOn(this, deadline);
  lock->lock();
}

}  // namespace shopstream
