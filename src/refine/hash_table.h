#pragma once

#include <cstdint>
#include <vector>

#include "refine/id_hash.h"

namespace shopstream::refine {

// A set of hashes in memory. A hash is near the slot that its leading bits name, so that the set is
// all but sorted: hashes between two empty slots are greater than all before them.
class HashTable {
 public:
  HashTable() { Resize(kLeastBits); }

  // False: it is there already.
  bool Insert(const Hash128& hash);
  bool Contains(const Hash128& hash) const;
  int64_t size() const { return size_; }
  int64_t memory_bytes() const { return static_cast<int64_t>(slots_.capacity() * sizeof(Hash128)); }

  // Replaces `hashes` by the next ones in ascending order, some thousand. None: that was all.
  // `*slot`: where to go on, at first 0. Not after an Insert in between.
  void Next(size_t* slot, std::vector<Hash128>* hashes) const;

 private:
  static constexpr int kLeastBits = 8;
  // Slots beyond the last one that leading bits name.
  static constexpr size_t kTail = 64;

  void Resize(int bits);
  size_t HomeOf(const Hash128& hash) const { return hash.high >> (64 - bits_); }
  // The slot that has it or may take it; slots_.size(): all up to the end are full.
  size_t Find(const Hash128& hash) const;
  void Put(size_t slot, const Hash128& hash);

  int bits_ = 0;
  int64_t size_ = 0;
  std::vector<Hash128> slots_;  // {0, 0}: empty; no hash is.
};

}  // namespace shopstream::refine
