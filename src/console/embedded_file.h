#pragma once

#include <cstddef>
#include <string_view>

namespace shopstream::console {

// A file of the page, in the program's own memory. scripts/pack_assets.py makes the table.
struct EmbeddedFile {
  std::string_view name;    // "index.html", "lib/api.js"
  std::string_view hashed;  // The same with a hash of its content: "lib/api.3f2a.js"; or empty.
  const char* begin;        // The file, then compressed with gzip, then with Brotli.
  size_t plain_size, gzip_size, brotli_size;

  std::string_view plain() const { return {begin, plain_size}; }
  std::string_view gzip() const { return {begin + plain_size, gzip_size}; }
  std::string_view brotli() const { return {begin + plain_size + gzip_size, brotli_size}; }
};

extern const EmbeddedFile kEmbeddedFiles[];
extern const size_t kEmbeddedFileCount;

}  // namespace shopstream::console
