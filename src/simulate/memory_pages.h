#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/page_file.h"

namespace shopstream::simulate {

// Page files in memory, for tests. Open files stay usable after Remove, as on a disk. One thread.
class MemoryPages : public PageFolder {
 public:
  Result<std::unique_ptr<PageFile>> Open(const std::string& name) override;
  Result<bool> Has(const std::string& name) override;
  Status Remove(const std::string& name) override;
  Result<std::vector<Entry>> List() override;
  Status Sync() override { return Status::OK(); }  // Names are never lost.
  Result<std::string> BootId() override { return "boot-" + std::to_string(boots_); }

  // The process is killed by the write after this many: half of it arrives, and nothing that
  // follows does.
  void KillAfterWrites(int64_t writes) { writes_left_ = writes; }
  bool is_dead() const { return writes_left_ < 0; }
  void Revive() { writes_left_ = kUnlimited; }
  int64_t pages_read() const { return pages_read_; }
  int64_t listings() const { return listings_; }
  int64_t bytes_written() const { return bytes_written_; }

  // The machine stops: of each file that was not synced since it changed, `keeps` decides per page
  // whether it arrived on the disk.
  void LosePower(const std::function<bool()>& keeps);

 private:
  friend class MemoryFile;
  struct Content {
    std::string bytes = "", synced = "";
    int64_t modified = 0;
  };

  Status Strike();  // Unavailable: dead.

  static constexpr int64_t kUnlimited = INT64_MAX;

  std::map<std::string, std::shared_ptr<Content>> files_;
  int64_t writes_left_ = kUnlimited;
  int64_t bytes_written_ = 0, pages_read_ = 0, listings_ = 0, clock_ = 0, boots_ = 0;
};

}  // namespace shopstream::simulate
