#include "backup/restored_table.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error_kind.h"
#include "base/json.h"
#include "base/version.h"
#include "lake/delta/checkpoint.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/log_name.h"
#include "lake/delta/log_reader.h"

namespace shopstream::backup {
namespace {

using nlohmann::json;

constexpr char kRestoreKey[] = "restoreId";
constexpr int64_t kVersionsAbove = 1'000'000;  // In case that the clock is wrong.

// A table id that depends on the restore and on the old id alone, so that a restore that is
// repeated makes the same one. Both are random.
std::string NewTableId(const std::string& old_id, const std::string& restore_id) {
  return restore_id + old_id.substr(std::min(old_id.size(), restore_id.size()));
}

Result<lake::AddFile> Renamed(const lake::AddFile& add, const std::string& restore_id) {
  lake::AddFile renamed = add;
  ARROW_RETURN_NOT_OK(lake::SetLogPath(RestoredName(restore_id, add.log_path), &renamed));
  return renamed;
}

lake::LogEntry RestoreEntry(const lake::TableState& state, const std::string& restore_id,
                            const std::string& backup) {
  lake::LogEntry entry;
  entry.protocol = state.protocol();
  entry.metadata = state.metadata();
  entry.txns = state.TxnActions();
  entry.commit_info = json{{"timestamp", WallClockMillis()},
                           {"operation", "RESTORE"},
                           {"operationParameters", {{"backup", backup}}},
                           {"isBlindAppend", false},
                           {"engineInfo", kVersion},
                           {kRestoreKey, restore_id},
                           {"txnId", state.metadata().id}};
  return entry;
}

}  // namespace

int64_t VersionAbove(int64_t known, int64_t now_ms) {
  return std::max(known + kVersionsAbove, now_ms * 1000);
}

Result<LogContent> LookAtLog(lake::ObjectStore* lake, const std::string& table, int64_t expected) {
  ARROW_ASSIGN_OR_RAISE(const auto objects, lake->List(lake::LogFolder(table)));
  LogContent content;
  for (const lake::ObjectEntry& object : objects) {
    ++content.objects;
    const auto name = lake::ParseLogName(object.path);
    if (!name) continue;
    content.newest = std::max(content.newest, name->version);
    (name->version == expected ? content.has_expected : content.has_foreign) = true;
  }
  return content;
}

Status DeleteLog(lake::ObjectStore* lake, const std::string& table) {
  ARROW_ASSIGN_OR_RAISE(auto objects, lake->List(lake::LogFolder(table)));
  std::ranges::reverse(objects);
  for (const lake::ObjectEntry& object : objects) {
    ARROW_RETURN_NOT_OK(lake->Delete(object.path));
  }
  return Status::OK();
}

Result<lake::TableState> RestoredState(const lake::TableState& backed_up, int64_t version,
                                       const std::string& restore_id) {
  lake::LogEntry actions;
  actions.protocol = backed_up.protocol();
  actions.metadata = backed_up.metadata();
  actions.metadata->id = NewTableId(backed_up.metadata().id, restore_id);
  actions.txns = backed_up.TxnActions();
  lake::TableState state;
  ARROW_RETURN_NOT_OK(state.ReplayCheckpoint(version, actions));
  Status failure;
  backed_up.ForEachAdd([&](const lake::AddFile& add) {
    if (!failure.ok()) return;
    auto renamed = Renamed(add, restore_id);
    failure = renamed.status();
    if (!failure.ok()) return;
    lake::LogEntry one;
    one.adds.push_back(*std::move(renamed));
    failure = state.ReplayCheckpoint(version, one);
  });
  ARROW_RETURN_NOT_OK(failure);
  ARROW_RETURN_NOT_OK(state.Finish());
  return state;
}

Status PublishLog(lake::ObjectStore* lake, const std::string& table, const lake::TableState& state,
                  const std::string& restore_id, const std::string& backup) {
  const std::string path = lake::LogEntryPath(table, state.version());
  const std::string text = lake::FormatLogEntry(RestoreEntry(state, restore_id, backup));
  ARROW_ASSIGN_OR_RAISE(const auto outcome,
                        lake->PutIfAbsent(path, *arrow::Buffer::FromString(text)));
  if (outcome == lake::PutOutcome::kExists) {
    ARROW_ASSIGN_OR_RAISE(const auto entry, lake::ReadLogEntry(lake, table, state.version()));
    if (!entry || !entry->commit_info->is_object() ||
        entry->commit_info->value(kRestoreKey, "") != restore_id) {
      return Refused("another program has written ", path, " in ", lake->Describe(),
                     ": stop every writer of this lake, then run the restore again");
    }
  }
  return lake::WriteCheckpoint(lake, table, state, WallClockMillis());
}

}  // namespace shopstream::backup
