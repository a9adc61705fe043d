#include "refine/erase_receipt.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/json.h"
#include "base/runtime.h"
#include "lake/delta/existing_table.h"
#include "lake/delta/log_cleanup.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/log_reader.h"
#include "lake/delta/retention.h"
#include "lake/delta/table_history.h"
#include "lake/upkeep/vacuum.h"
#include "model/calendar.h"
#include "refine/closed_dates.h"
#include "refine/dates.h"
#include "refine/erased_rows.h"
#include "refine/gold_build.h"
#include "tables/record_types.h"
#include "tables/refine_state.h"

namespace shopstream::refine {
namespace {

// Clocks of two programs may differ by this much.
constexpr int64_t kClocksDifferMs = 3'600'000;
constexpr int64_t kVacuumKeepsMs = Millis(lake::VacuumOptions::kMinRetention).count();

struct FoundCommit {
  int64_t version = 0;
  lake::LogEntry entry;
};

std::optional<int64_t> InfoNumber(const lake::LogEntry& entry, const char* name) {
  if (!entry.commit_info->is_object()) return std::nullopt;
  const auto found = entry.commit_info->find(name);
  if (found == entry.commit_info->end() || !found->is_number_integer()) return std::nullopt;
  return found->get<int64_t>();
}

// The newest entry of the log that satisfies it, not before `since_ms`.
template <typename IsIt>
Result<std::optional<FoundCommit>> FindCommit(lake::ObjectStore* store, const std::string& table,
                                              int64_t newest, int64_t since_ms, const IsIt& is_it) {
  for (int64_t version = newest; version >= 0; --version) {
    ARROW_ASSIGN_OR_RAISE(auto entry, lake::ReadLogEntry(store, table, version));
    if (!entry || lake::CommitTimestamp(*entry).value_or(since_ms) < since_ms) break;
    if (is_it(*entry)) return FoundCommit{version, *std::move(entry)};
  }
  return std::optional<FoundCommit>();
}

std::string TimeText(int64_t unix_ms) {
  return unix_ms >= lake::kKeepForEverMs ? "never" : FormatTimestamp(unix_ms);
}

class ReceiptReader {
 public:
  ReceiptReader(lake::ObjectStore* store, int64_t task, const ClosedDates& closed)
      : store_(store), closed_(closed) {
    receipt_.task = task;
  }

  // The reservation precedes every commit of the task.
  Status FindBegin(const std::string& rejects) {
    ARROW_ASSIGN_OR_RAISE(const auto table, lake::OpenExisting(store_, rejects));
    const auto reservation = tables::RefineTaskTxn(receipt_.task);
    const auto is_reservation = [&](const lake::LogEntry& entry) {
      return std::ranges::any_of(entry.txns, [&](const lake::Txn& txn) {
        return txn.app_id == reservation.first && txn.version == reservation.second &&
               tables::RefinePass(entry) != receipt_.task;
      });
    };
    ARROW_ASSIGN_OR_RAISE(
        const auto found,
        FindCommit(store_, rejects, table->snapshot()->version(), 0, is_reservation));
    if (!found) {
      return Status::KeyError("the log of ", rejects, " has no task ", receipt_.task);
    }
    since_ms_ = lake::CommitTimestamp(found->entry).value_or(0) - kClocksDifferMs;
    return Status::OK();
  }

  // Nothing if there is no such table.
  Status Add(const std::string& path, bool is_gold = false) {
    const auto table = lake::Table::Open(store_, path);
    if (table.status().IsKeyError()) return Status::OK();
    ARROW_RETURN_NOT_OK(table.status());
    const auto snapshot = (*table)->snapshot();
    const auto is_task = [&](const lake::LogEntry& entry) {
      return is_gold ? tables::RefinePass(entry) == receipt_.task
                     : InfoNumber(entry, "task") == receipt_.task;
    };
    ErasedTable& erased = receipt_.tables.emplace_back();
    erased.table = path;
    if (is_gold) ARROW_RETURN_NOT_OK(AddClosed(*snapshot, &erased));
    // A task that was interrupted may have erased in several commits.
    for (int64_t version = snapshot->version(); version >= 0;) {
      ARROW_ASSIGN_OR_RAISE(const auto found,
                            FindCommit(store_, path, version, since_ms_, is_task));
      if (!found) return Status::OK();
      AddCommit(*found, snapshot->properties(), is_gold, &erased);
      version = found->version - 1;
    }
    return Status::OK();
  }

  // Newest first.
  void AddCommit(const FoundCommit& found, const std::map<std::string, std::string>& properties,
                 bool is_gold, ErasedTable* erased) {
    if (!is_gold) {
      erased->rows = erased->rows.value_or(0) + InfoNumber(found.entry, "erasedRows").value_or(0);
    }
    erased->files += std::ssize(found.entry.removes);
    const auto closed_erased = InfoNumber(found.entry, kClosedErasedInfo);
    if (closed_erased) erased->closed_erased = erased->closed_erased.value_or(0) + *closed_erased;
    if (erased->version) return;
    erased->version = found.version;
    erased->at_ms = lake::CommitTimestamp(found.entry).value_or(0);
    erased->vacuum_after_ms =
        erased->at_ms + std::max(lake::TombstoneRetentionMs(properties), kVacuumKeepsMs);
    erased->log_gone_after_ms = erased->at_ms + lake::LogRetentionMs(properties);
    receipt_.log_gone_after_ms = std::max(receipt_.log_gone_after_ms, erased->log_gone_after_ms);
    const auto closed_before = InfoNumber(found.entry, kClosedBeforeInfo);
    if (closed_before) erased->closed_before = static_cast<int32_t>(*closed_before);
    const auto up_to = InfoNumber(found.entry, "upToVersion");
    const auto not_examined = InfoNumber(found.entry, "quarantineNotExamined");
    if (up_to && not_examined) {  // Bronze's.
      receipt_.bronze_version = *up_to;
      receipt_.not_examined = *not_examined;
    }
  }

  EraseReceipt Finish() { return std::move(receipt_); }

 private:
  // As the table is now: a commit of another program or an earlier version does not show it.
  Status AddClosed(const lake::Snapshot& gold, ErasedTable* erased) const {
    Status status;
    gold.VisitFiles([&](const DataFile& file) {
      const auto date = DateOf(file);
      if (status.ok()) status = date.status();
      if (date.ok() && closed_.Contains(*date)) erased->closed_before = closed_.horizon();
    });
    return status;
  }

  lake::ObjectStore* const store_;
  const ClosedDates& closed_;
  EraseReceipt receipt_;
  int64_t since_ms_ = 0;
};

}  // namespace

nlohmann::ordered_json ToJson(const EraseReceipt& receipt) {
  auto tables = nlohmann::ordered_json::array();
  for (const ErasedTable& table : receipt.tables) {
    nlohmann::ordered_json out = {{"table", table.table}};
    out["version"] = table.version ? nlohmann::ordered_json(*table.version) : nullptr;
    out["rows"] = table.rows ? nlohmann::ordered_json(*table.rows) : nullptr;
    out["files"] = table.files;
    if (table.version) {
      out["at"] = FormatTimestamp(table.at_ms);
      out["vacuum_after"] = TimeText(table.vacuum_after_ms);
      out["log_gone_after"] = TimeText(table.log_gone_after_ms);
    }
    if (table.closed_before) {
      out["closed_before"] = FormatDate(*table.closed_before);
      out["closed_rows_erased"] =
          table.closed_erased ? nlohmann::ordered_json(*table.closed_erased) : nullptr;
    }
    tables.push_back(std::move(out));
  }
  return {{"task", receipt.task},
          {"tables", std::move(tables)},
          {"up_to_bronze_version", receipt.bronze_version},
          {"quarantine_not_examined", receipt.not_examined},
          {"log_gone_after", TimeText(receipt.log_gone_after_ms)}};
}

Result<EraseReceipt> ReadEraseReceipt(lake::ObjectStore* store, const RefinePaths& paths,
                                      const std::string& quarantine, int64_t task) {
  ARROW_ASSIGN_OR_RAISE(const auto silver, lake::OpenExisting(store, paths.silver));
  ARROW_ASSIGN_OR_RAISE(const ClosedDates closed, ClosedDates::Of(*silver->snapshot()));
  ReceiptReader reader(store, task, closed);
  ARROW_RETURN_NOT_OK(reader.FindBegin(paths.rejects));
  ARROW_ASSIGN_OR_RAISE(const auto bronze, lake::OpenExisting(store, paths.bronze));
  ARROW_RETURN_NOT_OK(reader.Add(paths.bronze));
  ARROW_ASSIGN_OR_RAISE(const auto types, tables::ReadRecordTypes(*bronze->snapshot()));
  for (const auto& [type, path] : types) ARROW_RETURN_NOT_OK(reader.Add(path));
  for (const std::string& path : {quarantine, paths.rejects, paths.silver}) {
    ARROW_RETURN_NOT_OK(reader.Add(path));
  }
  ARROW_ASSIGN_OR_RAISE(const auto all, lake::FindTables(store));
  for (const std::string& path : all) {
    if (!path.starts_with(paths.gold_folder + "/")) continue;
    ARROW_RETURN_NOT_OK(reader.Add(path, /*is_gold=*/true));
  }
  return reader.Finish();
}

Result<std::vector<RowsToErase>> CountRowsToErase(lake::ObjectStore* store,
                                                  const RefinePaths& paths,
                                                  const std::string& predicate,
                                                  const lake::RemovalOptions& search) {
  ARROW_ASSIGN_OR_RAISE(const auto bronze, lake::OpenExisting(store, paths.bronze));
  ARROW_ASSIGN_OR_RAISE(const RefineColumns columns,
                        RefineColumns::Of(paths.bronze, *bronze->snapshot()));
  ARROW_ASSIGN_OR_RAISE(const auto condition, RowPredicate::Open(predicate, columns.bronze));
  const std::vector<std::string> bronze_names = columns.bronze->field_names();
  std::vector<std::unique_ptr<lake::Table>> opened;
  std::vector<ErasedRows> searched;
  searched.emplace_back(bronze.get(), *columns.bronze, bronze_names, condition.get(), search);
  std::vector<RowsToErase> counts = {{.table = paths.bronze}};
  for (const std::string& path : {paths.rejects, paths.silver}) {
    auto table = lake::Table::Open(store, path);
    if (table.status().IsKeyError()) continue;
    ARROW_RETURN_NOT_OK(table.status());
    opened.push_back(*std::move(table));
    searched.emplace_back(opened.back().get(), *columns.bronze, columns.names, condition.get(),
                          search);
    counts.push_back({.table = path});
  }
  Identities copies({RandomBits(), RandomBits()});
  for (ErasedRows& rows : searched) ARROW_RETURN_NOT_OK(rows.FindIdentities(&copies));
  for (size_t i = 0; i < searched.size(); ++i) {
    searched[i].AddCopies(&copies);
    ARROW_ASSIGN_OR_RAISE(counts[i].rows, searched[i].Find());
  }
  return counts;
}

}  // namespace shopstream::refine
