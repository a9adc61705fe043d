#include "refine/hash_table.h"

#include <algorithm>
#include <utility>

namespace shopstream::refine {
namespace {

constexpr size_t kSortedAtLeast = 4096;

}  // namespace

void HashTable::Resize(int bits) {
  const std::vector<Hash128> old(std::exchange(slots_, {}));
  bits_ = bits;
  slots_.resize((size_t{1} << bits) + kTail);
  for (const Hash128& hash : old) {
    if (hash != Hash128()) Put(Find(hash), hash);
  }
}

// The tail grows if many hashes name the last slots.
void HashTable::Put(size_t slot, const Hash128& hash) {
  if (slot == slots_.size()) slots_.resize(slot + kTail);
  slots_[slot] = hash;
}

size_t HashTable::Find(const Hash128& hash) const {
  size_t slot = HomeOf(hash);
  while (slot < slots_.size() && slots_[slot] != hash && slots_[slot] != Hash128()) ++slot;
  return slot;
}

bool HashTable::Contains(const Hash128& hash) const {
  const size_t slot = Find(hash);
  return slot < slots_.size() && slots_[slot] == hash;
}

bool HashTable::Insert(const Hash128& hash) {
  size_t slot = Find(hash);
  if (slot < slots_.size() && slots_[slot] == hash) return false;
  if (size_ >= static_cast<int64_t>((size_t{1} << bits_) / 5 * 3)) {
    Resize(bits_ + 1);
    slot = Find(hash);
  }
  Put(slot, hash);
  ++size_;
  return true;
}

void HashTable::Next(size_t* slot, std::vector<Hash128>* hashes) const {
  hashes->clear();
  // Whole clusters, whose order among each other is right.
  while (*slot < slots_.size() && hashes->size() < kSortedAtLeast) {
    while (*slot < slots_.size() && slots_[*slot] == Hash128()) ++*slot;
    while (*slot < slots_.size() && slots_[*slot] != Hash128())
      hashes->push_back(slots_[(*slot)++]);
  }
  std::ranges::sort(*hashes);
}

}  // namespace shopstream::refine
