#include "produce/wire_fault.h"

#include <algorithm>

namespace shopstream::produce {
namespace {

using generate::Fault;

constexpr size_t kFrameSize = 5;  // Magic byte and schema id, see parcel.h.
// Registries assign ids from one, so these are never assigned. There are a few, as if records came
// from a topic that belongs to another registry.
constexpr uint8_t kUnknownId[] = {0x7f, 0xff, 0xff};
constexpr uint64_t kUnknownIds = 16;

std::vector<uint8_t> CutTo(std::span<const uint8_t> record, size_t size) {
  return {record.begin(), record.begin() + static_cast<std::ptrdiff_t>(size)};
}

// Keeps the frame and at least one byte of the body, and drops at least one.
size_t TruncatedSize(std::span<const uint8_t> record, uint64_t random) {
  const size_t body = record.size() - kFrameSize;
  return kFrameSize + (body < 2 ? 0 : 1 + random % (body - 1));
}

}  // namespace

std::vector<uint8_t> Break(std::span<const uint8_t> record, Fault fault, uint64_t random) {
  std::vector<uint8_t> broken(record.begin(), record.end());
  switch (fault) {
    case Fault::kEmpty:
      return {};
    case Fault::kShort:
      return CutTo(record, 1 + random % (kFrameSize - 1));
    case Fault::kWrongMagic:
      broken[0] = static_cast<uint8_t>(1 + random % 255);
      return broken;
    case Fault::kUnknownSchema:
      std::copy(std::begin(kUnknownId), std::end(kUnknownId), broken.begin() + 1);
      broken[4] = static_cast<uint8_t>(random % kUnknownIds);
      return broken;
    case Fault::kTruncated:
      return CutTo(record, TruncatedSize(record, random));
    case Fault::kTrailing:
      broken.resize(record.size() + 1 + random % 16, static_cast<uint8_t>(random >> 32));
      return broken;
    case Fault::kHugeLength: {
      // The varint of 2^31 - 1: as a string's length, far more than the bytes available.
      constexpr uint8_t kHuge[] = {0xfe, 0xff, 0xff, 0xff, 0x0f};
      broken.resize(std::max(broken.size(), kFrameSize + sizeof kHuge));
      std::copy(std::begin(kHuge), std::end(kHuge), broken.begin() + kFrameSize);
      return broken;
    }
    case Fault::kInvalidUtf8:
    case Fault::kUnknownRegion:
    case Fault::kFarFuture:
      break;  // Already broken in the columns.
  }
  return broken;
}

}  // namespace shopstream::produce
