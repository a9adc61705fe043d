#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shopstream::lake {

// A map from text to bytes that is small, cheap to copy and cheap to append to: copies share their
// content, and all but the newest entries are compressed in blocks of about half a megabyte. It is
// meant for a table's files: 100,000 of them with statistics take about 30 MB, and a commit's copy
// with its few additions takes microseconds. Unordered. A copy never changes for its holder;
// concurrent reads are safe.
class PackedMap {
 public:
  using Entry = std::pair<std::string, std::string>;  // Key, value.

  size_t size() const { return size_; }
  // The values of the keys, in the same order; nothing for a key that is absent.
  std::vector<std::optional<std::string>> Find(const std::vector<std::string>& keys) const;
  // Replaces the values of existing keys. No key may occur twice in `entries`.
  void Put(const std::vector<Entry>& entries);
  // Put for keys known to be new: skips the search.
  void PutNew(const std::vector<Entry>& entries);
  void Erase(const std::vector<std::string>& keys);
  void ForEach(
      const std::function<void(std::string_view key, std::string_view value)>& visit) const;
  int64_t memory_bytes() const;  // Size of the content, shared or not.

 private:
  struct Block;

  void Append(std::shared_ptr<const Block> block);

  std::vector<std::shared_ptr<const Block>> blocks_;
  size_t size_ = 0;
};

}  // namespace shopstream::lake
