#include "lake/delta/packed_map.h"

#include <arrow/util/compression.h>
#include <arrow/util/logging.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace shopstream::lake {
namespace {

// Large enough for zstd to see many similar entries, small enough to decode for one look-up.
constexpr size_t kSealBytes = 512 << 10;

uint64_t HashOf(std::string_view key) { return std::hash<std::string_view>{}(key); }

// A failure would mean that this process's memory was corrupted or is exhausted.
arrow::util::Codec* Zstd() {
  thread_local const std::unique_ptr<arrow::util::Codec> codec =
      arrow::util::Codec::Create(arrow::Compression::ZSTD, 1).ValueOrDie();
  return codec.get();
}

std::string Compress(const std::string& plain) {
  const auto* input = reinterpret_cast<const uint8_t*>(plain.data());
  const auto input_size = static_cast<int64_t>(plain.size());
  std::string out(static_cast<size_t>(Zstd()->MaxCompressedLen(input_size, input)), '\0');
  const int64_t size = Zstd()
                           ->Compress(input_size, input, static_cast<int64_t>(out.size()),
                                      reinterpret_cast<uint8_t*>(out.data()))
                           .ValueOrDie();
  out.resize(static_cast<size_t>(size));
  out.shrink_to_fit();
  return out;
}

std::string Decompress(const std::string& packed, size_t plain_size) {
  std::string out(plain_size, '\0');
  const int64_t size =
      Zstd()
          ->Decompress(static_cast<int64_t>(packed.size()),
                       reinterpret_cast<const uint8_t*>(packed.data()),
                       static_cast<int64_t>(out.size()), reinterpret_cast<uint8_t*>(out.data()))
          .ValueOrDie();
  ARROW_CHECK_EQ(static_cast<size_t>(size), plain_size);
  return out;
}

// Entries are consecutive: key size, value size (4 bytes each, native), key, value.
void AppendEntry(std::string_view key, std::string_view value, std::string* out) {
  const uint32_t sizes[2] = {static_cast<uint32_t>(key.size()),
                             static_cast<uint32_t>(value.size())};
  out->append(reinterpret_cast<const char*>(sizes), sizeof(sizes));
  out->append(key);
  out->append(value);
}

template <typename Visit>
void VisitEntries(std::string_view bytes, const Visit& visit) {
  while (!bytes.empty()) {
    uint32_t sizes[2];
    std::memcpy(sizes, bytes.data(), sizeof(sizes));
    bytes.remove_prefix(sizeof(sizes));
    visit(bytes.substr(0, sizes[0]), bytes.substr(sizes[0], sizes[1]));
    bytes.remove_prefix(sizes[0] + sizes[1]);
  }
}

}  // namespace

struct PackedMap::Block {
  std::vector<uint64_t> hashes;  // Sorted hashes of the keys.
  std::string bytes;
  size_t plain_size = 0;
  bool sealed = false;  // Compressed, and no longer merged.

  static std::shared_ptr<const Block> Make(std::string plain) {
    auto block = std::make_shared<Block>();
    VisitEntries(plain, [&block](std::string_view key, std::string_view) {
      block->hashes.push_back(HashOf(key));
    });
    std::sort(block->hashes.begin(), block->hashes.end());
    block->hashes.shrink_to_fit();
    block->plain_size = plain.size();
    block->sealed = plain.size() >= kSealBytes;
    block->bytes = block->sealed ? Compress(plain) : std::move(plain);
    return block;
  }

  bool MayHoldAnyOf(const std::vector<uint64_t>& wanted) const {
    return std::any_of(wanted.begin(), wanted.end(), [this](uint64_t hash) {
      return std::binary_search(hashes.begin(), hashes.end(), hash);
    });
  }

  template <typename Visit>
  void ForEach(const Visit& visit) const {
    if (sealed) {
      VisitEntries(Decompress(bytes, plain_size), visit);
    } else {
      VisitEntries(bytes, visit);
    }
  }
};

namespace {

std::unordered_map<std::string_view, size_t> Positions(const std::vector<std::string>& keys) {
  std::unordered_map<std::string_view, size_t> positions;
  for (size_t i = 0; i < keys.size(); ++i) positions.emplace(keys[i], i);
  return positions;
}

std::vector<uint64_t> Hashes(const std::vector<std::string>& keys) {
  std::vector<uint64_t> hashes;
  hashes.reserve(keys.size());
  for (const std::string& key : keys) hashes.push_back(HashOf(key));
  return hashes;
}

}  // namespace

std::vector<std::optional<std::string>> PackedMap::Find(
    const std::vector<std::string>& keys) const {
  std::vector<std::optional<std::string>> values(keys.size());
  const auto positions = Positions(keys);
  const auto hashes = Hashes(keys);
  for (const auto& block : blocks_) {
    if (!block->MayHoldAnyOf(hashes)) continue;
    block->ForEach([&](std::string_view key, std::string_view value) {
      if (const auto it = positions.find(key); it != positions.end()) values[it->second] = value;
    });
  }
  return values;
}

void PackedMap::Put(const std::vector<Entry>& entries) {
  std::vector<std::string> keys;
  keys.reserve(entries.size());
  for (const Entry& entry : entries) keys.push_back(entry.first);
  Erase(keys);
  PutNew(entries);
}

void PackedMap::PutNew(const std::vector<Entry>& entries) {
  std::string plain;
  for (const auto& [key, value] : entries) {
    AppendEntry(key, value, &plain);
    if (plain.size() >= kSealBytes) Append(Block::Make(std::exchange(plain, {})));
  }
  if (!plain.empty()) Append(Block::Make(std::move(plain)));
  size_ += entries.size();
}

// Blocks grow as a binary counter does: each entry is copied about log2(kSealBytes / its commit's
// size) times before it is sealed.
void PackedMap::Append(std::shared_ptr<const Block> block) {
  while (!block->sealed && !blocks_.empty() && !blocks_.back()->sealed &&
         blocks_.back()->plain_size <= 2 * block->plain_size) {
    block = Block::Make(blocks_.back()->bytes + block->bytes);
    blocks_.pop_back();
  }
  blocks_.push_back(std::move(block));
}

void PackedMap::Erase(const std::vector<std::string>& keys) {
  if (keys.empty() || size_ == 0) return;
  const auto doomed = Positions(keys);
  const auto hashes = Hashes(keys);
  std::vector<std::shared_ptr<const Block>> kept_blocks;
  kept_blocks.reserve(blocks_.size());
  for (const auto& block : blocks_) {
    if (!block->MayHoldAnyOf(hashes)) {
      kept_blocks.push_back(block);
      continue;
    }
    std::string kept;
    size_t erased = 0;
    block->ForEach([&](std::string_view key, std::string_view value) {
      if (doomed.contains(key)) {
        ++erased;
      } else {
        AppendEntry(key, value, &kept);
      }
    });
    size_ -= erased;
    if (erased == 0) {
      kept_blocks.push_back(block);
    } else if (!kept.empty()) {
      kept_blocks.push_back(Block::Make(std::move(kept)));
    }
  }
  blocks_ = std::move(kept_blocks);
}

void PackedMap::ForEach(
    const std::function<void(std::string_view key, std::string_view value)>& visit) const {
  for (const auto& block : blocks_) block->ForEach(visit);
}

int64_t PackedMap::memory_bytes() const {
  size_t bytes = blocks_.capacity() * sizeof(blocks_[0]);
  for (const auto& block : blocks_) {
    bytes += sizeof(Block) + block->hashes.capacity() * sizeof(uint64_t) + block->bytes.capacity();
  }
  return static_cast<int64_t>(bytes);
}

}  // namespace shopstream::lake
