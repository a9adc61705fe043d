#include "base/spooled_list.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>

#include "base/json.h"

namespace shopstream {
namespace {

Status CannotSpool() {
  return Status::Invalid("cannot keep a long list in the temporary folder: ", std::strerror(errno),
                         "; free space there, or set TMPDIR to a larger folder");
}

}  // namespace

Result<SpooledList> SpooledList::Open() {
  std::error_code error;
  std::string path = std::filesystem::temp_directory_path(error).string() + "/shopstream-XXXXXX";
  if (error) return Status::Invalid("no temporary folder: ", error.message(), "; set TMPDIR");
  const int descriptor = mkostemp(path.data(), O_CLOEXEC);
  if (descriptor < 0) return CannotSpool();
  unlink(path.c_str());  // It lives as long as it is open.
  std::FILE* const file = fdopen(descriptor, "w+");
  if (file == nullptr) {
    const Status problem = CannotSpool();
    close(descriptor);
    return problem;
  }
  return SpooledList(file);
}

Status SpooledList::Add(const nlohmann::ordered_json& element) {
  const std::string line = (count_++ == 0 ? "\n" : ",\n") + DumpJson(element);
  const size_t written = std::fwrite(line.data(), 1, line.size(), file_.get());
  return written == line.size() ? Status::OK() : CannotSpool();
}

Status SpooledList::Flush() { return std::fflush(file_.get()) == 0 ? Status::OK() : CannotSpool(); }

Status SpooledList::Print(std::ostream& out) {
  std::rewind(file_.get());
  out << '[';
  std::array<char, 1 << 16> block;
  for (size_t read = 0; (read = std::fread(block.data(), 1, block.size(), file_.get())) > 0;) {
    out.write(block.data(), static_cast<std::streamsize>(read));
  }
  if (std::ferror(file_.get()) != 0) return CannotSpool();
  out << (count_ == 0 ? "]\n" : "\n]\n");
  return Status::OK();
}

}  // namespace shopstream
