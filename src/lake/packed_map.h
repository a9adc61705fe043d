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

// A map from text to bytes that is cheap to copy, cheap to append to and small: copies share their
// content, and all but the newest entries lie compressed in blocks of about half a megabyte. Made
// for the files of a table: 100,000 of them with statistics take some 30 MB, and a commit's copy
// with its few additions microseconds. No order. A copy is immutable for whoever holds it;
// concurrent reads are safe.
class PackedMap {
 public:
  using Entry = std::pair<std::string, std::string>;  // Key, value.

  size_t size() const { return size_; }
  // The values of the keys, in their order; nothing for a key that is not there.
  std::vector<std::optional<std::string>> Find(const std::vector<std::string>& keys) const;
  // Replaces the values of keys that are there. No key may occur twice in `entries`.
  void Put(const std::vector<Entry>& entries);
  // Put for keys the caller knows to be new: spares the search.
  void PutNew(const std::vector<Entry>& entries);
  void Erase(const std::vector<std::string>& keys);
  void ForEach(
      const std::function<void(std::string_view key, std::string_view value)>& visit) const;
  int64_t memory_bytes() const;  // Of the content, shared or not.

 private:
  struct Block;

  void Append(std::shared_ptr<const Block> block);

  std::vector<std::shared_ptr<const Block>> blocks_;
  size_t size_ = 0;
};

}  // namespace shopstream::lake
