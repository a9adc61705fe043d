#include "simulate/context.h"

#include <arrow/util/logging.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#elif defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace shopstream::simulate {

Context::Context() {
#if defined(__SANITIZE_THREAD__)
  fiber_ = __tsan_get_current_fiber();
#endif
}

Context::Context(void* stack, size_t bytes, void (*entry)()) : stack_(stack), bytes_(bytes) {
  ARROW_CHECK_EQ(::getcontext(&context_), 0);
  context_.uc_stack.ss_sp = stack;
  context_.uc_stack.ss_size = bytes;
  context_.uc_link = nullptr;
  ::makecontext(&context_, entry, 0);
#if defined(__SANITIZE_THREAD__)
  fiber_ = __tsan_create_fiber(0);
  owns_fiber_ = true;
#endif
}

Context::~Context() {
#if defined(__SANITIZE_THREAD__)
  if (owns_fiber_) __tsan_destroy_fiber(fiber_);
#endif
}

void Context::SwitchTo(Context* to) {
  to->from_ = this;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&fake_stack_, to->stack_, to->bytes_);
#elif defined(__SANITIZE_THREAD__)
  __tsan_switch_to_fiber(to->fiber_, 0);
#endif
  ::swapcontext(&context_, &to->context_);
  Arrive();
}

void Context::SwitchForGood(Context* to) {
  to->from_ = this;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(nullptr, to->stack_, to->bytes_);  // Frees the fake stack.
#elif defined(__SANITIZE_THREAD__)
  __tsan_switch_to_fiber(to->fiber_, 0);
#endif
  ::setcontext(&to->context_);
  ARROW_LOG(FATAL) << "a context cannot be left";
  __builtin_unreachable();
}

void Context::Arrive() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake_stack_, &from_->stack_, &from_->bytes_);
#endif
}

}  // namespace shopstream::simulate
