#pragma once

#include <ucontext.h>

#include <cstddef>

namespace shopstream::simulate {

// A place where execution continues: the calling thread, or a function on its own stack. One thread
// switches between them. AddressSanitizer and ThreadSanitizer are notified of each switch, because
// they keep the bounds of the stack and the order of accesses per thread.
class Context {
 public:
  // The calling thread.
  Context();
  // Runs `entry` on the stack at the first switch to it. `entry` calls Arrive first, and leaves
  // by SwitchForGood.
  Context(void* stack, size_t bytes, void (*entry)());
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // Suspends this one, which is running, until it is switched to again.
  void SwitchTo(Context* to);
  [[noreturn]] void SwitchForGood(Context* to);
  // The first call on the new stack.
  void Arrive();

 private:
  ucontext_t context_{};
  const void* stack_ = nullptr;  // Of the calling thread: known once it was left.
  size_t bytes_ = 0;
  Context* from_ = nullptr;     // What ran before.
  void* fake_stack_ = nullptr;  // AddressSanitizer's.
  void* fiber_ = nullptr;       // ThreadSanitizer's.
  bool owns_fiber_ = false;
};

}  // namespace shopstream::simulate
