#include "base/read_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

namespace shopstream {
namespace {

constexpr std::streamsize kPieceBytes = 64 << 10;

}  // namespace

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  std::vector<char> piece(kPieceBytes);
  while (file.is_open() && !file.bad()) {
    file.read(piece.data(), kPieceBytes);
    if (file.gcount() == 0) break;
    text.append(piece.data(), static_cast<size_t>(file.gcount()));
  }
  if (!file.is_open() || file.bad()) {
    return Status::IOError("cannot read ", path, ": ", std::strerror(errno));
  }
  return text;
}

}  // namespace shopstream
