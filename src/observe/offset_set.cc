#include "observe/offset_set.h"

namespace shopstream::observe {

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

const OffsetSet::Page* OffsetSet::FindPage(int64_t page) const {
  const auto found = pages_.find(page);
  return found == pages_.end() ? nullptr : found->second.get();
}

}  // namespace shopstream::observe
