#include "simulate/version_check.h"

#include <map>
#include <set>

#include "lake/delta/log_entry.h"
#include "lake/delta/log_reader.h"

namespace shopstream::simulate {
namespace {

constexpr int64_t kPromised = 3'500'000;  // An hour, less a margin for clock differences.

}  // namespace

Result<std::vector<std::string>> MissingFiles(lake::ObjectStore* store, const std::string& table,
                                              int64_t newest_version, int64_t now_ms) {
  std::map<std::string, int64_t> removed;  // When.
  std::set<std::string> added;
  for (int64_t version = newest_version; version >= 0; --version) {
    ARROW_ASSIGN_OR_RAISE(const auto entry, lake::ReadLogEntry(store, table, version));
    if (!entry) break;  // Cleaned up, like all before it.
    for (const auto& add : entry->adds) added.insert(add.file.path);
    for (const auto& remove : entry->removes) removed.try_emplace(remove.path, remove.deleted_ms);
  }
  std::vector<std::string> missing;
  for (const std::string& file : added) {
    const auto gone = removed.find(file);
    if (gone != removed.end() && gone->second < now_ms - kPromised) continue;
    ARROW_ASSIGN_OR_RAISE(const auto content, store->Get(table + "/" + file));
    if (content == nullptr) missing.push_back(table + "/" + file);
  }
  return missing;
}

}  // namespace shopstream::simulate
