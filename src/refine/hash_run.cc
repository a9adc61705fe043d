#include "refine/hash_run.h"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <utility>

#include "base/error_kind.h"

namespace shopstream::refine {
namespace {

static_assert(std::endian::native == std::endian::little);
static_assert(sizeof(Hash128) == 16);

constexpr int64_t kPageBytes = 4096;
constexpr int64_t kPageHashes = kPageBytes / sizeof(Hash128);
constexpr int64_t kFlushHashes = 64 * kPageHashes;
constexpr uint64_t kMagic = 0x314e55524d525453;  // "STRMRUN1"

struct Header {
  uint64_t magic = 0;
  int64_t count = 0;
};

template <typename T>
std::span<std::byte> BytesOf(std::vector<T>* values) {
  return std::as_writable_bytes(std::span(*values));
}

int64_t PagesOf(int64_t count) { return (count + kPageHashes - 1) / kPageHashes; }

}  // namespace

Result<std::unique_ptr<HashRun>> HashRun::Open(std::unique_ptr<PageFile> file) {
  ARROW_ASSIGN_OR_RAISE(const int64_t size, file->Size());
  Header header;
  if (size < kPageBytes) return nullptr;
  ARROW_RETURN_NOT_OK(file->Read(0, std::as_writable_bytes(std::span(&header, 1))));
  if (header.magic == 0) return nullptr;
  const int64_t pages = header.count < 0 ? 0 : PagesOf(header.count);
  const int64_t end = kPageBytes + header.count * int64_t{sizeof(Hash128)};
  if (header.magic != kMagic || header.count < 0 || header.count > size ||
      size != end + pages * int64_t{sizeof(uint64_t)}) {
    return Corrupt("a file of ", size, " bytes is not a run of hashes");
  }
  auto run = std::unique_ptr<HashRun>(new HashRun());
  run->count_ = header.count;
  run->bytes_ = size;
  run->index_.resize(static_cast<size_t>(pages));
  ARROW_RETURN_NOT_OK(file->Read(end, BytesOf(&run->index_)));
  if (!std::ranges::is_sorted(run->index_)) return Corrupt("the index of a run is out of order");
  run->file_ = std::move(file);
  return run;
}

Status HashRun::Read(int64_t position, int64_t most, std::vector<Hash128>* hashes) {
  hashes->resize(static_cast<size_t>(std::clamp<int64_t>(count_ - position, 0, most)));
  return file_->Read(kPageBytes + position * int64_t{sizeof(Hash128)}, BytesOf(hashes));
}

Status HashRun::Load(int64_t page, int64_t count) {
  loaded_page_ = page;
  const Status status = Read(page * kPageHashes, count * kPageHashes, &loaded_);
  // Zeros, or the page of another file, would pass for hashes that are not there.
  const auto descends = std::ranges::adjacent_find(loaded_, std::ranges::greater_equal{});
  if (status.ok() && descends == loaded_.end() && !loaded_.empty() &&
      loaded_.front().high == index_[static_cast<size_t>(page)]) {
    return Status::OK();
  }
  loaded_page_ = -1;
  return status.ok() ? Corrupt("a page of a run does not agree with its index") : status;
}

Status HashRun::Find(std::span<const Hash128> hashes, std::vector<bool>* found) {
  loaded_page_ = -1;
  auto next = index_.begin();
  for (size_t i = 0; i < hashes.size(); ++i) {
    const Hash128& hash = hashes[i];
    next = std::upper_bound(next, index_.end(), hash.high);
    // Usually one page; hashes with the same leading bytes may reach back over several.
    for (auto page = next; page != index_.begin();) {
      --page;
      if (loaded_page_ != page - index_.begin()) {
        ARROW_RETURN_NOT_OK(Load(page - index_.begin(), 1));
      }
      if (std::ranges::binary_search(loaded_, hash)) (*found)[i] = true;
      if ((*found)[i] || *page != hash.high) break;
    }
  }
  return Status::OK();
}

Status HashRunWriter::Append(std::span<const Hash128> hashes) {
  for (const Hash128& hash : hashes) {
    if (count_ % kPageHashes == 0) index_.push_back(hash.high);
    pending_.push_back(hash);
    ++count_;
    if (std::ssize(pending_) == kFlushHashes) ARROW_RETURN_NOT_OK(Flush());
  }
  return Status::OK();
}

Status HashRunWriter::Flush() {
  ARROW_RETURN_NOT_OK(file_->Write(written_, BytesOf(&pending_)));
  written_ += std::ssize(pending_) * int64_t{sizeof(Hash128)};
  pending_.clear();
  return Status::OK();
}

Status HashRunWriter::Finish() {
  ARROW_RETURN_NOT_OK(Flush());
  ARROW_RETURN_NOT_OK(file_->Write(written_, BytesOf(&index_)));
  written_ += std::ssize(index_) * int64_t{sizeof(uint64_t)};
  std::array<std::byte, kPageBytes> page{};
  const Header header{kMagic, count_};
  std::ranges::copy(std::as_bytes(std::span(&header, 1)), page.begin());
  return file_->Write(0, page);
}

}  // namespace shopstream::refine
