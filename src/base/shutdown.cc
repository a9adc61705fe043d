#include "base/shutdown.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <limits>

namespace shopstream {
namespace {

constexpr int kExitOnSecondSignal = 130;

// A signal handler may use only lock-free atomics and write(2).
std::atomic<bool> stop_requested{false};
std::atomic<int> signals_seen{0};
std::atomic<int> wake_fd{-1};
std::atomic<bool> interrupts_taken{false}, interrupted{false};  // By an InterruptScope.
std::atomic<int64_t> requested_at_ms{0};
std::atomic<int64_t> grace_ms{3000};
static_assert(std::atomic<int64_t>::is_always_lock_free);
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

// The event is never read: once written, every sleeper's poll returns immediately.
int OpenWakeFd() {
  static const int fd = [] {
    const int opened = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    wake_fd.store(opened);
    return opened;
  }();
  return fd;
}

// Safe in a signal handler.
int64_t MonotonicMillis() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

void NoteRequest() {
  int64_t none = 0;  // A later request does not extend the grace.
  requested_at_ms.compare_exchange_strong(none, MonotonicMillis());
  stop_requested.store(true);
}

void WakeSleepers() {
  const int fd = wake_fd.load();
  if (fd < 0) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(fd, &one, sizeof one);
}

void OnSignal(int signal) {
  if (signal == SIGINT && interrupts_taken.load()) return interrupted.store(true);
  const int saved_errno = errno;
  if (signals_seen.fetch_add(1) > 0) _exit(kExitOnSecondSignal);
  NoteRequest();
  WakeSleepers();
  errno = saved_errno;
}

}  // namespace

void InstallShutdownHandlers() {
  OpenWakeFd();
  struct sigaction action {};
  action.sa_handler = OnSignal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool ShutdownRequested() { return stop_requested.load(std::memory_order_relaxed); }

void RequestShutdown() {
  OpenWakeFd();
  NoteRequest();
  WakeSleepers();
}

InterruptScope::InterruptScope() {
  interrupted.store(false);
  interrupts_taken.store(true);
}

InterruptScope::~InterruptScope() { interrupts_taken.store(false); }

bool InterruptScope::Take() { return interrupted.exchange(false); }

void SetShutdownGrace(Millis grace) { grace_ms.store(grace.count()); }

bool ShutdownOverdue() {
  return ShutdownRequested() && MonotonicMillis() - requested_at_ms.load() >= grace_ms.load();
}

bool SleepUnlessShutdown(Millis pause) {
  const BootClock::time_point end = BootClock::now() + pause;
  while (!ShutdownRequested()) {
    const auto left = std::chrono::ceil<Millis>(end - BootClock::now()).count();
    if (left <= 0) return false;
    pollfd wake{OpenWakeFd(), POLLIN, 0};
    poll(&wake, 1, static_cast<int>(std::min<int64_t>(left, std::numeric_limits<int>::max())));
  }
  return true;
}

}  // namespace shopstream
