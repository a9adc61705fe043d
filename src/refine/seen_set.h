#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/page_file.h"
#include "base/status.h"
#include "refine/hash_merge.h"
#include "refine/hash_run.h"
#include "refine/hash_table.h"
#include "refine/id_hash.h"

namespace shopstream::refine {

// A set of hashes on disk that grows in small batches. Most are in a run (16 bytes each, one read
// for each hash that is looked up); the newest are in memory and in a log. Once a part of the whole
// is new, a merge begins to write the next run, and every insertion takes it a bit further: the
// cost of an insertion does not depend on the size of the set, and no page is ever overwritten.
//
// Files: <name>.<g>.run, the set as of generation g, and <name>.<g>.log, what came after. While a
// merge writes run g + 1, newer hashes go to log g + 1. The set is the newest complete run with the
// logs from its generation on; without that run's log it is damaged. Killed at any moment, it holds
// every batch whose insertion succeeded. One thread.
class SeenSet {
 public:
  using Take = std::function<Status(std::vector<Hash128>)>;
  using Rebuild = std::function<Status(const Take&)>;

  // Null: it does not exist, or only remains of it do, which are deleted. `files`: the names of
  // its files. Corrupt: it is damaged.
  static Result<std::unique_ptr<SeenSet>> Open(PageFolder* folder, const std::string& name,
                                               const std::vector<std::string>& files);
  // Of all that `rebuild` hands over. Uses 32 MiB, whatever the number.
  static Result<std::unique_ptr<SeenSet>> Build(PageFolder* folder, const std::string& name,
                                                const Rebuild& rebuild);
  // The set that a file belongs to; nothing: it is not of a set.
  static std::optional<std::string> SetOf(const std::string& file);

  Result<std::vector<bool>> Contains(const std::vector<Hash128>& hashes);
  // After an error, open it again: some of the hashes may be in it.
  Status Insert(const std::vector<Hash128>& hashes);

  int64_t disk_bytes() const;
  int64_t memory_bytes() const;

 private:
  SeenSet(PageFolder* folder, std::string name) : folder_(folder), name_(std::move(name)) {}
  std::string FileName(int64_t generation, const char* kind) const;
  Status ReadLog(int64_t generation, HashTable* table);
  Status OpenLog(int64_t generation);
  Status BeginMerge();
  Status AdvanceMerge(int64_t inserted);
  Status EndMerge();
  int64_t MostNew() const;  // How many new hashes begin a merge.

  PageFolder* const folder_;  // Borrowed.
  const std::string name_;
  int64_t generation_ = 0;  // Of the run.
  std::unique_ptr<HashRun> run_;
  HashTable new_;
  std::unique_ptr<PageFile> log_;  // Of `new_`.
  int64_t log_bytes_ = 0;
  // During a merge.
  HashTable merging_;  // Log `generation_`.
  int64_t merging_bytes_ = 0;
  std::unique_ptr<HashMerge> merge_;
};

}  // namespace shopstream::refine
