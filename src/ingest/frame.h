#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace shopstream::ingest {

// A record's value as Confluent's serializers frame it:
//
//   frame := 0x00 schema_id body
//   schema_id := 4 bytes, big endian, signed
//   body := Avro binary of one value
struct Frame {
  int32_t schema_id = 0;
  std::span<const uint8_t> body;
};

inline constexpr size_t kFrameHeaderBytes = 5;

// Nothing if the bytes do not begin like a frame: too short, or another magic byte.
std::optional<Frame> ParseFrame(std::span<const uint8_t> value);

}  // namespace shopstream::ingest
