#include "lake/delta/table_history.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/log_name.h"
#include "lake/delta/log_reader.h"

namespace shopstream::lake {
namespace {

// gold-metrics/<name>: tables are at most this deep.
constexpr int kMaxDepth = 3;

bool IsEntry(const std::string& path) {
  const auto name = ParseLogName(path);
  return name && name->kind == LogName::Kind::kEntry;
}

VersionRecord Summarize(int64_t version, const LogEntry& entry, int64_t modified_ms) {
  VersionRecord record;
  record.version = version;
  record.timestamp_ms = CommitTimestamp(entry).value_or(modified_ms);
  if (entry.commit_info->is_object()) {
    const auto& info = *entry.commit_info;
    if (const auto it = info.find("operation"); it != info.end() && it->is_string()) {
      record.operation = *it;
    }
    if (const auto it = info.find("engineInfo"); it != info.end() && it->is_string()) {
      record.engine = *it;
    }
  }
  record.files_added = static_cast<int64_t>(entry.adds.size());
  record.files_removed = static_cast<int64_t>(entry.removes.size());
  for (const AddFile& add : entry.adds) {
    record.rows_added += std::max<int64_t>(add.file.rows, 0);
    record.bytes_added += add.file.size_bytes;
    record.data_change = record.data_change || add.data_change;
  }
  for (const RemoveFile& remove : entry.removes) {
    record.data_change = record.data_change || remove.data_change;
  }
  for (const Txn& txn : entry.txns) record.txns[txn.app_id] = txn.version;
  return record;
}

Status FindBelow(ObjectStore* store, const std::string& folder, int depth,
                 std::vector<std::string>* tables) {
  ARROW_ASSIGN_OR_RAISE(const auto names, store->ListFolders(folder));
  if (std::find(names.begin(), names.end(), "_delta_log") != names.end()) {
    tables->push_back(folder);
    return Status::OK();
  }
  if (depth == kMaxDepth) return Status::OK();
  for (const std::string& name : names) {
    const std::string below = folder.empty() ? name : folder + "/" + name;
    ARROW_RETURN_NOT_OK(FindBelow(store, below, depth + 1, tables));
  }
  return Status::OK();
}

}  // namespace

Result<std::vector<VersionRecord>> ReadHistory(ObjectStore* store, const std::string& table_path,
                                               int64_t limit, int64_t after, int64_t below) {
  const std::string begin = after < 0 ? "" : LogEntryPath(table_path, after);
  ARROW_ASSIGN_OR_RAISE(auto objects, store->List(LogFolder(table_path) + "0", begin));
  std::erase_if(objects, [](const ObjectEntry& object) { return !IsEntry(object.path); });
  std::vector<VersionRecord> records;
  for (auto object = objects.rbegin();
       object != objects.rend() && static_cast<int64_t>(records.size()) < limit; ++object) {
    const int64_t version = ParseLogName(object->path)->version;
    if (version >= below) continue;
    ARROW_ASSIGN_OR_RAISE(const auto entry, ReadLogEntry(store, table_path, version));
    if (!entry) break;  // Cleaned up meanwhile, and so are the older ones.
    records.push_back(Summarize(version, *entry, object->modified_ms));
  }
  return records;
}

Result<std::vector<std::string>> FindTables(ObjectStore* store) {
  std::vector<std::string> tables;
  ARROW_RETURN_NOT_OK(FindBelow(store, "", 0, &tables));
  return tables;
}

}  // namespace shopstream::lake
