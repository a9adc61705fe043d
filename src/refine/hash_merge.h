#pragma once

#include <cstdint>
#include <memory>
#include <queue>
#include <vector>

#include "base/status.h"
#include "refine/hash_run.h"
#include "refine/hash_table.h"

namespace shopstream::refine {

// Ascending hashes, in blocks.
class HashSource {
 public:
  virtual ~HashSource() = default;
  // Replaces `block` by the next hashes. None: that was all.
  virtual Status Next(std::vector<Hash128>* block) = 0;
};

std::unique_ptr<HashSource> SourceOf(HashRun* run);            // Borrowed.
std::unique_ptr<HashSource> SourceOf(const HashTable* table);  // Borrowed; must not change.

// Merges sources into a run, a part at a time.
class HashMerge {
 public:
  HashMerge(std::vector<std::unique_ptr<HashSource>> sources, std::unique_ptr<PageFile> target);

  // Takes about `most` more hashes from the sources. True: the run is complete.
  Result<bool> Advance(int64_t most);
  int64_t bytes() const { return target_.bytes(); }

 private:
  struct Head {
    Hash128 hash;
    size_t source = 0;
    bool operator>(const Head& other) const { return hash > other.hash; }
  };
  struct Block {
    std::vector<Hash128> hashes;
    size_t next = 0;
  };

  // Puts the source's next hash among the heads, if it has one.
  Status Enter(size_t source);

  const std::vector<std::unique_ptr<HashSource>> sources_;
  std::vector<Block> blocks_;  // One for each source.
  std::priority_queue<Head, std::vector<Head>, std::greater<>> heads_;
  HashRunWriter target_;
  std::vector<Hash128> merged_;
  Hash128 last_;  // None is {0, 0}.
  bool has_begun_ = false, is_complete_ = false;
};

}  // namespace shopstream::refine
