#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <ostream>

#include "base/status.h"

namespace shopstream {

// The elements of a list of a report, in a file without a name in the system's temporary folder
// (TMPDIR): a list of any length takes no memory. One thread.
class SpooledList {
 public:
  // Invalid: no file can be created there.
  static Result<SpooledList> Open();

  // Invalid: there is no room for it.
  Status Add(const nlohmann::ordered_json& element);
  // Invalid: there is no room for the elements so far.
  Status Flush();
  // As PrintReport prints a list, each element on its own line. After Flush().
  Status Print(std::ostream& out);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  explicit SpooledList(std::FILE* file) : file_(file) {}

  std::unique_ptr<std::FILE, Close> file_;
  int64_t count_ = 0;
};

}  // namespace shopstream
