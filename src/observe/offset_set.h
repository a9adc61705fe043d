#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>

namespace shopstream::observe {

// A set of offsets of one partition, one bit each, in pages that are created when needed: about 128
// KiB for a million dense offsets. Not thread-safe.
class OffsetSet {
 public:
  static constexpr int64_t kWordsPerPage = 1024;
  static constexpr int64_t kOffsetsPerPage = kWordsPerPage * 64;
  using Page = std::array<uint64_t, kWordsPerPage>;

  // False: the offset was present already. `offset` must not be negative.
  bool Insert(int64_t offset);

  bool Contains(int64_t offset) const;
  // Visits the ranges of [begin, end) that have no offset of the set, ascending; adjacent ones may
  // come in pieces. Takes a step per offset of existing pages only.
  void ForEachGap(int64_t begin, int64_t end,
                  const std::function<void(int64_t begin, int64_t end)>& on_gap) const;

  // Page p holds offsets [p * kOffsetsPerPage, (p + 1) * kOffsetsPerPage); null if it is empty.
  const Page* FindPage(int64_t page) const;
  const std::map<int64_t, std::unique_ptr<Page>>& pages() const { return pages_; }

 private:
  Page* PageFor(int64_t page);

  std::map<int64_t, std::unique_ptr<Page>> pages_;
  // Offsets come in order, so the next one is nearly always on the last one's page.
  int64_t last_page_ = -1;
  Page* last_ = nullptr;
};

}  // namespace shopstream::observe
