#include "kafka/record_hash.h"

#include <bit>
#include <cstring>
#include <limits>

namespace shopstream::kafka {
namespace {

static_assert(std::endian::native == std::endian::little, "words are hashed as little endian");

constexpr uint64_t kHashPrime1 = 0x9E3779B185EBCA87;
constexpr uint64_t kHashPrime2 = 0xC2B2AE3D27D4EB4F;

uint64_t MixWord(uint64_t hash, uint64_t word) {
  return std::rotl(hash ^ (word * kHashPrime2), 31) * kHashPrime1;
}

// Eight bytes at a step. The length comes first, so that the zeros which fill the last word are
// distinguished from zeros of the field, and a null from an empty field.
uint64_t MixField(uint64_t hash, const std::optional<Bytes>& field) {
  if (!field) return MixWord(hash, 0);
  hash = MixWord(hash, field->size() + 1);
  const uint8_t* next = field->data();
  size_t left = field->size();
  for (; left >= sizeof(uint64_t); next += sizeof(uint64_t), left -= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, next, sizeof(word));
    hash = MixWord(hash, word);
  }
  if (left > 0) {
    uint64_t word = 0;
    std::memcpy(&word, next, left);
    hash = MixWord(hash, word);
  }
  return hash;
}

std::optional<Bytes> BytesOf(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return Bytes(reinterpret_cast<const uint8_t*>(text->data()), text->size());
}

// The finalizer of splitmix64.
uint64_t Avalanche(uint64_t hash) {
  hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9;
  hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EB;
  return hash ^ (hash >> 31);
}

}  // namespace

int64_t ContentHash(const RecordView& record) {
  uint64_t hash = MixWord(kHashPrime1, static_cast<uint64_t>(record.timestamp_ms));
  hash = Avalanche(MixField(MixField(hash, record.key), record.value));
  hash &= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  return hash == 0 ? 1 : static_cast<int64_t>(hash);
}

int64_t ContentHash(int64_t timestamp_ms, const std::optional<std::string>& key,
                    const std::optional<std::string>& value) {
  RecordView record;
  record.timestamp_ms = timestamp_ms;
  record.key = BytesOf(key);
  record.value = BytesOf(value);
  return ContentHash(record);
}

}  // namespace shopstream::kafka
