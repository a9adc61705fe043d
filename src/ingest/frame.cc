#include "ingest/frame.h"

namespace shopstream::ingest {
namespace {

constexpr uint8_t kMagic = 0;

}  // namespace

std::optional<Frame> ParseFrame(std::span<const uint8_t> value) {
  if (value.size() < kFrameHeaderBytes || value[0] != kMagic) return std::nullopt;
  uint32_t id = uint32_t{value[1]} << 24 | uint32_t{value[2]} << 16 | uint32_t{value[3]} << 8 |
                uint32_t{value[4]};
  return Frame{.schema_id = static_cast<int32_t>(id), .body = value.subspan(kFrameHeaderBytes)};
}

}  // namespace shopstream::ingest
