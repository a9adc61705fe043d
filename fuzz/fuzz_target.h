#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>

// Each target defines it; libFuzzer and replay_test.cc call it. Aborts where a promise is broken.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size);

// assert() that stays in release builds.
#define FUZZ_CHECK(condition)                                           \
  do {                                                                  \
    if (!(condition)) {                                                 \
      std::cerr << __FILE__ << ":" << __LINE__ << ": " #condition "\n"; \
      std::abort();                                                     \
    }                                                                   \
  } while (false)
