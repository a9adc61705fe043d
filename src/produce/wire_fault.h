#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "generate/event_source.h"

namespace shopstream::produce {

// The bytes of one wire fault, which replace `record` (frame and body) on the wire. `random`
// decides the details; equal arguments give equal bytes.
std::vector<uint8_t> Break(std::span<const uint8_t> record, generate::Fault fault, uint64_t random);

}  // namespace shopstream::produce
