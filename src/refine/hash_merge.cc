#include "refine/hash_merge.h"

#include <algorithm>
#include <utility>

namespace shopstream::refine {
namespace {

constexpr int64_t kBlockHashes = 16'384;  // 256 KiB of each run in memory.

class RunSource : public HashSource {
 public:
  explicit RunSource(HashRun* run) : run_(run) {}
  Status Next(std::vector<Hash128>* block) override {
    ARROW_RETURN_NOT_OK(run_->Read(position_, kBlockHashes, block));
    position_ += std::ssize(*block);
    return Status::OK();
  }

 private:
  HashRun* const run_;
  int64_t position_ = 0;
};

class TableSource : public HashSource {
 public:
  explicit TableSource(const HashTable* table) : table_(table) {}
  Status Next(std::vector<Hash128>* block) override {
    table_->Next(&slot_, block);
    return Status::OK();
  }

 private:
  const HashTable* const table_;
  size_t slot_ = 0;
};

}  // namespace

std::unique_ptr<HashSource> SourceOf(HashRun* run) { return std::make_unique<RunSource>(run); }
std::unique_ptr<HashSource> SourceOf(const HashTable* table) {
  return std::make_unique<TableSource>(table);
}

HashMerge::HashMerge(std::vector<std::unique_ptr<HashSource>> sources,
                     std::unique_ptr<PageFile> target)
    : sources_(std::move(sources)), blocks_(sources_.size()), target_(std::move(target)) {}

Status HashMerge::Enter(size_t source) {
  Block& block = blocks_[source];
  if (block.next == block.hashes.size()) {
    ARROW_RETURN_NOT_OK(sources_[source]->Next(&block.hashes));
    block.next = 0;
  }
  if (!block.hashes.empty()) heads_.push({block.hashes[block.next], source});
  return Status::OK();
}

Result<bool> HashMerge::Advance(int64_t most) {
  if (!std::exchange(has_begun_, true)) {
    for (size_t source = 0; source < sources_.size(); ++source) {
      ARROW_RETURN_NOT_OK(Enter(source));
    }
  }
  while (!heads_.empty() && most > 0) {
    const size_t source = heads_.top().source;
    heads_.pop();
    Block& block = blocks_[source];
    // All that this source has below the other heads, or of its block.
    merged_.clear();
    const auto begin = block.hashes.begin() + static_cast<ptrdiff_t>(block.next);
    auto end = begin + 1;
    while (end != block.hashes.end() && (heads_.empty() || *end < heads_.top().hash)) ++end;
    for (auto at = begin; at != end; ++at) {
      if (*at != last_) merged_.push_back(*at);
      last_ = *at;
    }
    most -= end - begin;
    block.next += static_cast<size_t>(end - begin);
    ARROW_RETURN_NOT_OK(target_.Append(merged_));
    ARROW_RETURN_NOT_OK(Enter(source));
  }
  if (!heads_.empty()) return false;
  if (!std::exchange(is_complete_, true)) ARROW_RETURN_NOT_OK(target_.Finish());
  return true;
}

}  // namespace shopstream::refine
