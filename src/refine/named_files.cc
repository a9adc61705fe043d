#include "refine/named_files.h"

namespace shopstream::refine {

Result<std::unique_ptr<PageFile>> NamedFiles::Open(const std::string& name) {
  names_.insert(name);  // Even if it fails: the file may have been created.
  return folder_->Open(name);
}

Status NamedFiles::Remove(const std::string& name) {
  ARROW_RETURN_NOT_OK(folder_->Remove(name));
  names_.erase(name);
  return Status::OK();
}

Result<std::vector<PageFolder::Entry>> NamedFiles::List() {
  ARROW_ASSIGN_OR_RAISE(auto entries, folder_->List());
  names_.clear();
  for (const Entry& entry : entries) names_.insert(entry.name);
  return entries;
}

Result<std::vector<std::string>> NamedFiles::BeginningWith(const std::string& prefix) const {
  std::vector<std::string> names;
  for (auto at = names_.lower_bound(prefix); at != names_.end() && at->starts_with(prefix); ++at) {
    ARROW_ASSIGN_OR_RAISE(const bool is_there, folder_->Has(*at));
    if (is_there) names.push_back(*at);
  }
  return names;
}

}  // namespace shopstream::refine
