#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/runtime.h"
#include "simulate/chance.h"
#include "simulate/trace.h"

namespace shopstream::simulate {

// Several programs, each with any number of threads, on one thread of the operating system: a
// thread runs until it waits, and a seed decides how long waits are and who goes first. Time passes
// only while all wait.
//
// A crashed program does nothing any more that another could see: the seams refuse its calls, and
// its waits take no time, so that its threads come to their end and free what they hold.
class Scheduler : public Runtime {
 public:
  // Installs itself for this thread until it is destroyed. All is borrowed.
  Scheduler(Chance* chance, Trace* trace);
  ~Scheduler() override;

  // Starts a program; `main` runs once Run is called. The number names it, from 0 on.
  int StartProgram(std::string name, std::function<void()> main);
  // Calls `event` at that time, outside any program. It must not wait.
  void At(BootClock::time_point time, std::function<void()> event);
  void After(Millis pause, std::function<void()> event) { At(now_ + pause, std::move(event)); }

  // Until `done`, asked after each step. False: nothing is left that could happen, or `until` came.
  bool Run(const std::function<bool()>& done, BootClock::time_point until);
  // Lets time pass with nothing happening; what was due happens late.
  void Leap(Millis by) { now_ += by; }

  void Crash(int program);
  bool crashed(int program) const { return programs_[program].crashed; }
  int programs() const { return static_cast<int>(programs_.size()); }
  bool ended(int program) const { return programs_[program].threads == 0; }
  // None of its threads goes on for so long.
  void Suspend(int program, Millis for_as_long);
  // From now on its wall clock is that much further ahead.
  void MoveWallClock(int program, Millis by) { programs_[program].wall_offset += by; }

  // ---- for the seams, called by a thread of a program
  // The program of the running thread; -1 outside any.
  int program() const { return running_program_; }
  const std::string& ProgramName(int program) const { return programs_[program].name; }
  bool dead() const { return running_program_ >= 0 && programs_[running_program_].crashed; }
  // Takes time; others run meanwhile. Nothing outside a program.
  void Pass(BootClock::duration time);
  void Note(std::string_view what);  // In the trace, with time and program.
  void Count(const std::string& event) { trace_->Count(event); }
  Chance* chance() { return chance_; }
  BootClock::time_point time() const { return now_; }
  int64_t EpochMillis() const;  // By a clock that nobody moves.

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
    int threads = 0;  // That have not ended.
    bool crashed = false;
    BootClock::duration boot_offset{0};  // Machines have started at different times.
    Millis wall_offset{0};
    BootClock::time_point suspended_until{};
  };
  struct Event {
    std::function<void()> call;  // Or:
    Fiber* fiber = nullptr;
    uint64_t turn = 0;  // A fiber that was woken earlier has moved on to another turn.
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
  struct Contexts;
  std::unique_ptr<Contexts> contexts_;
};

}  // namespace shopstream::simulate
