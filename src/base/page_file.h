#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"

namespace shopstream {

// A file of a program's own working state: rebuilt when lost, so never in the lake. Its calls may
// run on any thread, one at a time. Unavailable: the disk is full or faulty.
class PageFile {
 public:
  virtual ~PageFile() = default;
  // Corrupt: the file is shorter.
  virtual Status Read(int64_t offset, std::span<std::byte> into) = 0;
  // Extends the file as needed. A process killed meanwhile may leave a part.
  virtual Status Write(int64_t offset, std::span<const std::byte> bytes) = 0;
  virtual Result<int64_t> Size() = 0;
  // What was written survives a power failure.
  virtual Status Sync() = 0;
};

// A folder of such files, used by one process at a time. Thread-safe.
class PageFolder {
 public:
  struct Entry {
    std::string name;
    int64_t bytes = 0;
    int64_t modified = 0;  // Only the order counts.
  };

  virtual ~PageFolder() = default;
  // Creates the file if it is absent. `name` has no slash.
  virtual Result<std::unique_ptr<PageFile>> Open(const std::string& name) = 0;
  virtual Result<bool> Has(const std::string& name) = 0;
  // An open file stays usable until it is closed. Absent: nothing happens.
  virtual Status Remove(const std::string& name) = 0;
  virtual Result<std::vector<Entry>> List() = 0;
  // Files that were opened before are found after a power failure, removed ones are not.
  virtual Status Sync() = 0;
  // Changes when the machine starts: then writes that were not synced may be lost.
  virtual Result<std::string> BootId() = 0;
};

// Creates the folder if it is absent, for this user alone, and keeps it locked. Null: another
// process has it.
Result<std::unique_ptr<PageFolder>> OpenPageFolder(const std::string& path);

}  // namespace shopstream
