#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace shopstream {

// The 32 bytes of the text's SHA-256.
std::string Sha256(std::string_view text);

// The same of a text in pieces.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  void Add(std::string_view piece);
  std::string Finish();  // Once.

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace shopstream
