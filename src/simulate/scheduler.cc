#include "simulate/scheduler.h"

#include <arrow/util/logging.h>
#include <sys/mman.h>

#include <utility>

#include "simulate/context.h"

namespace shopstream::simulate {
namespace {

// Enough for a Parquet writer under ASan, and for DuckDB's planner; untouched pages cost nothing.
constexpr size_t kStackBytes = 4 << 20;
constexpr auto kStart = BootClock::time_point(std::chrono::hours(1000));
constexpr int64_t kStartMillis = 1'761'350'400'000;  // 2025-10-25T00:00:00Z
constexpr int64_t kLongestUptimeSeconds = 100'000;

}  // namespace

struct Scheduler::Fiber {
  int64_t number = 0;
  int program = -1;
  std::function<void()> body;
  void* stack = nullptr;
  std::unique_ptr<Context> context;
  const void* key = nullptr;  // What it waits on.
  uint64_t turn = 0;
  bool ended = false;
};

Scheduler::Scheduler(Chance* chance, Trace* trace)
    : chance_(chance), trace_(trace), now_(kStart), main_(std::make_unique<Context>()) {
  Runtime::Simulate(this);
}

Scheduler::~Scheduler() {
  // A thread that never finished leaves its stack and its content until the end of the test.
  for (auto& [number, fiber] : fibers_) Reap(fiber.get());
  for (void* stack : free_stacks_) ::munmap(stack, kStackBytes);
  Runtime::Simulate(nullptr);
}

// ---- threads

Scheduler::Fiber* Scheduler::NewFiber(int program, std::function<void()> body) {
  auto fiber = std::make_unique<Fiber>();
  fiber->number = next_fiber_++;
  fiber->program = program;
  fiber->body = std::move(body);
  if (free_stacks_.empty()) {
    fiber->stack = ::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ARROW_CHECK(fiber->stack != MAP_FAILED) << "no memory for another stack";
  } else {
    fiber->stack = free_stacks_.back();
    free_stacks_.pop_back();
  }
  fiber->context = std::make_unique<Context>(fiber->stack, kStackBytes, &Scheduler::Enter);
  ++programs_[program].threads;
  Fiber* const raw = fiber.get();
  fibers_[raw->number] = std::move(fiber);
  Schedule(raw, now_);
  return raw;
}

void Scheduler::Enter() {
  auto* const self = static_cast<Scheduler*>(Runtime::Simulated());
  Fiber* const fiber = self->running_;
  fiber->context->Arrive();
  fiber->body();
  fiber->body = nullptr;
  fiber->ended = true;
  fiber->context->SwitchForGood(self->main_.get());
}

void Scheduler::Switch(Fiber* fiber) {
  running_ = fiber;
  running_program_ = fiber->program;
  main_->SwitchTo(fiber->context.get());
  running_ = nullptr;
  running_program_ = -1;
}

void Scheduler::Yield() { running_->context->SwitchTo(main_.get()); }

void Scheduler::Reap(Fiber* fiber) {
  if (fiber->stack == nullptr) return;
  fiber->context.reset();
  free_stacks_.push_back(std::exchange(fiber->stack, nullptr));
}

void Scheduler::Schedule(Fiber* fiber, BootClock::time_point due) {
  // Events that are due at the same time run in random order.
  const uint64_t order = (chance_->Bits() << 24) | (next_order_++ & 0xffffff);
  due_.emplace(Due{due, order}, Event{.call = nullptr, .fiber = fiber, .turn = fiber->turn});
}

// ---- programs

int Scheduler::StartProgram(std::string name, std::function<void()> main) {
  const int number = static_cast<int>(programs_.size());
  Program& program = programs_.emplace_back();
  program.name = std::move(name);
  program.boot_offset = std::chrono::seconds(chance_->Below(kLongestUptimeSeconds));
  NewFiber(number, std::move(main));
  return number;
}

void Scheduler::At(BootClock::time_point time, std::function<void()> event) {
  due_.emplace(Due{std::max(time, now_), next_order_++},
               Event{.call = std::move(event), .fiber = nullptr, .turn = 0});
}

bool Scheduler::Run(const std::function<bool()>& done, BootClock::time_point until) {
  while (!done()) {
    if (due_.empty() || due_.begin()->first.first > until) return false;
    auto node = due_.extract(due_.begin());
    Event& event = node.mapped();
    if (event.fiber != nullptr && event.turn != event.fiber->turn) continue;  // Already woken.
    now_ = std::max(now_, node.key().first);
    if (event.fiber == nullptr) {
      event.call();
      continue;
    }
    const Program& program = programs_[event.fiber->program];
    if (program.suspended_until > now_ && !program.crashed) {
      Schedule(event.fiber, program.suspended_until);
      continue;
    }
    Switch(event.fiber);
    if (!event.fiber->ended) continue;
    --programs_[event.fiber->program].threads;
    Reap(event.fiber);
    WakeAll(event.fiber);
  }
  return true;
}

void Scheduler::Crash(int program) {
  if (programs_[program].crashed || ended(program)) return;
  programs_[program].crashed = true;
  // Its threads would wait forever, so they must finish now.
  for (auto& [number, fiber] : fibers_) {
    if (fiber->program != program || fiber->ended || fiber.get() == running_) continue;
    ++fiber->turn;
    Schedule(fiber.get(), now_);
  }
  trace_->Add(now_.time_since_epoch().count() / 1000, programs_[program].name, "crashes");
}

void Scheduler::Suspend(int program, Millis for_as_long) {
  programs_[program].suspended_until = now_ + for_as_long;
}

// ---- for the simulated interfaces

void Scheduler::Pass(BootClock::duration time) {
  if (running_ == nullptr || dead()) return;
  ++running_->turn;
  running_->key = nullptr;
  Schedule(running_, now_ + time);
  Yield();
}

void Scheduler::Note(std::string_view what) {
  trace_->Add(now_.time_since_epoch().count() / 1000,
              running_ == nullptr ? "world" : programs_[running_->program].name, what);
}

int64_t Scheduler::EpochMillis() const {
  return kStartMillis + std::chrono::duration_cast<Millis>(now_ - kStart).count();
}

// ---- Runtime

BootClock::time_point Scheduler::Now() {
  return running_ == nullptr ? now_ : now_ + programs_[running_->program].boot_offset;
}

int64_t Scheduler::WallClockMillis() {
  return EpochMillis() +
         (running_ == nullptr ? 0 : programs_[running_->program].wall_offset.count());
}

void Scheduler::WaitOn(const void* key, BootClock::time_point deadline) {
  ARROW_CHECK(running_ != nullptr) << "only programs wait";
  ++running_->turn;
  running_->key = key;
  Program& program = programs_[running_->program];
  if (deadline != BootClock::time_point::max()) {
    if (program.crashed) {
      program.boot_offset = std::max(program.boot_offset, deadline - now_);
      Schedule(running_, now_);
    } else {
      Schedule(running_, deadline - program.boot_offset);
    }
  }
  Yield();
}

void Scheduler::WakeAll(const void* key) {
  for (auto& [number, fiber] : fibers_) {
    if (fiber->key != key || fiber->ended) continue;
    fiber->key = nullptr;
    ++fiber->turn;
    Schedule(fiber.get(), now_);
  }
}

int64_t Scheduler::StartThread(std::function<void()> body) {
  ARROW_CHECK(running_ != nullptr) << "only programs have threads";
  return NewFiber(running_->program, std::move(body))->number;
}

void Scheduler::JoinThread(int64_t number) {
  Fiber* const fiber = fibers_.at(number).get();
  while (!fiber->ended) WaitOn(fiber, BootClock::time_point::max());
}

}  // namespace shopstream::simulate
