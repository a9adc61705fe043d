#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/page_file.h"
#include "base/status.h"
#include "refine/id_hash.h"

namespace shopstream::refine {

// A file of ascending hashes, never changed once it is complete:
//
//   run    := header page { page } index
//   header := magic count, padded to a page; zero while the run is incomplete
//   page   := up to 256 hashes, 16 bytes each; only the last has fewer
//   index  := the leading 8 bytes of each page's first hash
//
// The index is kept in memory: 8 bytes for 256 hashes.
class HashRun {
 public:
  // Null: it is incomplete. Corrupt: it is damaged.
  static Result<std::unique_ptr<HashRun>> Open(std::unique_ptr<PageFile> file);

  // `hashes` ascending; sets found[i] if hashes[i] is in the run. Reads each page once at most.
  Status Find(std::span<const Hash128> hashes, std::vector<bool>* found);

  int64_t count() const { return count_; }
  int64_t bytes() const { return bytes_; }
  int64_t memory_bytes() const {
    return static_cast<int64_t>(index_.capacity() * sizeof(uint64_t));
  }
  // Replaces `hashes` by those from `position` on, up to `most`.
  Status Read(int64_t position, int64_t most, std::vector<Hash128>* hashes);

 private:
  HashRun() = default;
  Status Load(int64_t page, int64_t count);

  std::unique_ptr<PageFile> file_;
  int64_t count_ = 0, bytes_ = 0;
  std::vector<uint64_t> index_;
  std::vector<Hash128> loaded_;  // Pages from loaded_page_ on.
  int64_t loaded_page_ = -1;
};

// Writes a run from ascending hashes.
class HashRunWriter {
 public:
  explicit HashRunWriter(std::unique_ptr<PageFile> file) : file_(std::move(file)) {}
  // Each is greater than all before.
  Status Append(std::span<const Hash128> hashes);
  // Completes it.
  Status Finish();
  int64_t bytes() const { return written_; }

 private:
  Status Flush();

  const std::unique_ptr<PageFile> file_;
  std::vector<Hash128> pending_;
  std::vector<uint64_t> index_;
  int64_t count_ = 0, written_ = kHeaderBytes;

  static constexpr int64_t kHeaderBytes = 4096;
};

}  // namespace shopstream::refine
