#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>

// Defined by each target; called by libFuzzer and replay_test.cc. Aborts if a guarantee is broken.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size);

// assert() that stays in release builds.
#define FUZZ_CHECK(condition)                                           \
  do {                                                                  \
    if (!(condition)) {                                                 \
      std::cerr << __FILE__ << ":" << __LINE__ << ": " #condition "\n"; \
      std::abort();                                                     \
    }                                                                   \
  } while (false)
