// input := the value of a Kafka record.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "fuzz_target.h"
#include "ingest/frame.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  // A separate buffer, so that a read past its end is detected.
  const std::vector<uint8_t> value(bytes, bytes + size);
  const auto frame = shopstream::ingest::ParseFrame(value);
  FUZZ_CHECK(frame.has_value() == (size >= 5 && value[0] == 0));
  if (frame) FUZZ_CHECK(frame->body.size() == size - 5);
  return 0;
}
