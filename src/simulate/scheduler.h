#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/runtime.h"
#include "base/status.h"
#include "simulate/chance.h"
#include "simulate/trace.h"

namespace shopstream::simulate {

class Context;

// Runs several programs, each with any number of threads, on one operating system thread. A thread
// runs until it waits; a seed decides how long waits are and which thread runs next. Time passes
// only while all threads wait.
//
// A crashed program has no further visible effect: the simulated interfaces refuse its calls, and
// its waits take no time, so that its threads finish and free their memory.
class Scheduler : public Runtime {
 public:
  // Installs itself on this thread until it is destroyed. Borrows its arguments.
  Scheduler(Chance* chance, Trace* trace);
  ~Scheduler() override;

  // Starts a program; `main` runs once Run is called. Returns its number, from 0 on.
  int StartProgram(std::string name, std::function<void()> main);
  // Calls `event` at that time, outside any program. It must not wait.
  void At(BootClock::time_point time, std::function<void()> event);
  void After(Millis pause, std::function<void()> event) { At(now_ + pause, std::move(event)); }

  // Runs until `done`, called after each step, is true. False: nothing is left to run, or `until`
  // was reached.
  bool Run(const std::function<bool()>& done, BootClock::time_point until);
  // Advances time without running anything; events that were due happen late.
  void Leap(Millis by) { now_ += by; }

  void Crash(int program);
  bool crashed(int program) const { return programs_[program].crashed; }
  int programs() const { return static_cast<int>(programs_.size()); }
  bool ended(int program) const { return programs_[program].threads == 0; }
  // None of its threads runs for this time.
  void Suspend(int program, Millis for_as_long);
  // Advances its wall clock by this much.
  void MoveWallClock(int program, Millis by) { programs_[program].wall_offset += by; }

  // ---- for the simulated interfaces, called by a thread of a program
  // The running thread's program; -1 outside any program.
  int program() const { return running_program_; }
  const std::string& ProgramName(int program) const { return programs_[program].name; }
  // The programs' calls fail with Crashed() from then on.
  bool dead() const { return running_program_ >= 0 && programs_[running_program_].crashed; }
  // Lets time pass while other threads run. Does nothing outside a program.
  void Pass(BootClock::duration time);
  void Note(std::string_view what);  // In the trace, with time and program.
  void Count(const std::string& event) { trace_->Count(event); }
  Chance* chance() { return chance_; }
  BootClock::time_point time() const { return now_; }
  int64_t EpochMillis() const;  // By a clock that is never changed.

  // ---- Runtime
  BootClock::time_point Now() override;
  int64_t WallClockMillis() override;
  uint64_t RandomBits() override { return chance_->Bits(); }
  void WaitOn(const void* key, BootClock::time_point deadline) override;
  void WakeAll(const void* key) override;
  int64_t StartThread(std::function<void()> body) override;
  void JoinThread(int64_t number) override;

 private:
  struct Fiber;
  struct Program {
    std::string name;
    int threads = 0;  // Number of unfinished threads.
    bool crashed = false;
    BootClock::duration boot_offset{0};  // Machines were booted at different times.
    Millis wall_offset{0};
    BootClock::time_point suspended_until{};
  };
  struct Event {
    std::function<void()> call;  // Or:
    Fiber* fiber = nullptr;
    uint64_t turn = 0;  // If the fiber was woken earlier, it has moved on to another turn.
  };
  using Due = std::pair<BootClock::time_point, uint64_t>;

  Fiber* NewFiber(int program, std::function<void()> body);
  void Schedule(Fiber* fiber, BootClock::time_point due);
  void Switch(Fiber* fiber);
  void Yield();
  static void Enter();
  void Reap(Fiber* fiber);

  Chance* const chance_;
  Trace* const trace_;
  BootClock::time_point now_;
  std::vector<Program> programs_;
  std::map<Due, Event> due_;
  std::map<int64_t, std::unique_ptr<Fiber>> fibers_;
  std::vector<void*> free_stacks_;
  int64_t next_fiber_ = 0;
  uint64_t next_order_ = 0;
  Fiber* running_ = nullptr;
  int running_program_ = -1;
  std::unique_ptr<Context> main_;  // The thread that calls Run.
};

// What every call of a program returns once it is dead.
inline Status Crashed() { return Status::Cancelled("the program has crashed"); }

}  // namespace shopstream::simulate
