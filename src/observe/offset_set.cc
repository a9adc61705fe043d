#include "observe/offset_set.h"

#include <algorithm>

namespace shopstream::observe {
namespace {

bool HasBit(const OffsetSet::Page& page, int64_t offset) {
  const uint64_t word = page[static_cast<size_t>(offset % OffsetSet::kOffsetsPerPage / 64)];
  return (word >> (offset % 64) & 1) != 0;
}

}  // namespace

OffsetSet::Page* OffsetSet::PageFor(int64_t page) {
  if (page != last_page_) {
    std::unique_ptr<Page>& slot = pages_[page];
    if (slot == nullptr) slot = std::make_unique<Page>();
    last_page_ = page;
    last_ = slot.get();
  }
  return last_;
}

bool OffsetSet::Insert(int64_t offset) {
  uint64_t& word = (*PageFor(offset / kOffsetsPerPage))[offset % kOffsetsPerPage / 64];
  const uint64_t bit = uint64_t{1} << (offset % 64);
  if ((word & bit) != 0) return false;
  word |= bit;
  return true;
}

bool OffsetSet::Contains(int64_t offset) const {
  const Page* page = FindPage(offset / kOffsetsPerPage);
  return page != nullptr && HasBit(*page, offset);
}

void OffsetSet::ForEachGap(int64_t begin, int64_t end,
                           const std::function<void(int64_t, int64_t)>& on_gap) const {
  for (auto page = pages_.lower_bound(begin / kOffsetsPerPage); begin < end; ++page) {
    const int64_t start = page == pages_.end() ? end : page->first * kOffsetsPerPage;
    if (begin < start) {
      on_gap(begin, std::min(start, end));
      begin = start;
      if (begin >= end) return;
    }
    const int64_t stop = std::min(end, start + kOffsetsPerPage);
    for (; begin < stop; ++begin) {
      if (!HasBit(*page->second, begin)) on_gap(begin, begin + 1);
    }
  }
}

const OffsetSet::Page* OffsetSet::FindPage(int64_t page) const {
  const auto found = pages_.find(page);
  return found == pages_.end() ? nullptr : found->second.get();
}

}  // namespace shopstream::observe
