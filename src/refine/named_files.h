#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/page_file.h"
#include "base/status.h"

namespace shopstream::refine {

// A folder that knows the names of its files: it is listed once, and every file is opened and
// removed through this object. One thread.
class NamedFiles : public PageFolder {
 public:
  // `folder` is borrowed.
  explicit NamedFiles(PageFolder* folder) : folder_(folder) {}

  Result<std::unique_ptr<PageFile>> Open(const std::string& name) override;
  Result<bool> Has(const std::string& name) override { return folder_->Has(name); }
  Status Remove(const std::string& name) override;
  Result<std::vector<Entry>> List() override;  // Reads the folder.
  Status Sync() override { return folder_->Sync(); }
  Result<std::string> BootId() override { return folder_->BootId(); }

  // Those that were listed or opened, and are still there.
  Result<std::vector<std::string>> BeginningWith(const std::string& prefix) const;

 private:
  PageFolder* const folder_;
  std::set<std::string> names_;
};

}  // namespace shopstream::refine
