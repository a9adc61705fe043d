#include "observe/table_look.h"

#include <fmt/format.h>

#include <utility>

#include "base/error_kind.h"
#include "base/shutdown.h"
#include "lake/delta/table_at.h"
#include "lake/upkeep/reports.h"
#include "tables/quarantine_causes.h"
#include "tables/refine_state.h"

namespace shopstream::observe {
namespace {

// A table without new versions for this long may have been deleted.
constexpr Millis kDoubtAfter{60'000};

}  // namespace

Result<std::shared_ptr<const lake::Snapshot>> NewestVersion::Read() {
  const BootClock::time_point now = BootClock::now();
  if (table_ != nullptr) {
    const auto before = table_->snapshot();
    const auto refreshed = table_->Refresh();
    if (IsUnavailable(refreshed.status())) return refreshed;
    if (refreshed.ok() && *refreshed != before) certain_at_ = now;
    if (refreshed.ok() && now - certain_at_ < kDoubtAfter) return refreshed;
    ARROW_ASSIGN_OR_RAISE(const bool stands, EntryStands(before->version()));
    certain_at_ = now;
    if (refreshed.ok() && stands) return refreshed;
    table_.reset();
  }
  auto opened = lake::Table::Open(store_.get(), path_);
  if (opened.status().IsKeyError()) return nullptr;
  ARROW_ASSIGN_OR_RAISE(table_, std::move(opened));
  certain_at_ = now;
  return table_->snapshot();
}

Result<bool> NewestVersion::EntryStands(int64_t version) const {
  ARROW_ASSIGN_OR_RAISE(const auto entries,
                        store_->List(fmt::format("{}/_delta_log/{:020}.json", path_, version)));
  return !entries.empty();
}

TableLook::TableLook(std::shared_ptr<lake::ObjectStore> store, const std::string& path,
                     bool has_progress)
    : newest_(std::move(store), path), has_progress_(has_progress) {}

Result<TableSample> TableLook::Look() {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, newest_.Read());
  if (snapshot == nullptr) return TableSample{};
  if (snapshot != snapshot_) {
    ARROW_ASSIGN_OR_RAISE(sample_, Read(*snapshot));
    snapshot_ = snapshot;
  }
  return sample_;
}

Result<TableSample> TableLook::Read(const lake::Snapshot& snapshot) const {
  TableSample sample{.exists = true, .version = snapshot.version()};
  int64_t rows = 0;
  bool counted = true;
  std::map<PartitionValues, int64_t> small_files;
  snapshot.VisitFiles([&](const DataFile& file) {
    ++sample.files;
    sample.bytes += file.size_bytes;
    if (file.size_bytes < lake::SmallFileBytes()) ++small_files[file.partition_values];
    counted = counted && file.rows >= 0;
    rows += file.rows;
  });
  if (counted) sample.rows = rows;
  // Compaction has nothing to do with the only one of a partition.
  for (const auto& [partition, small] : small_files) {
    if (small > 1) sample.small_files += small;
  }
  ARROW_ASSIGN_OR_RAISE(sample.committed_ms,
                        lake::CommitTime(newest_.store(), newest_.path(), snapshot.version()));
  ARROW_ASSIGN_OR_RAISE(const auto standing, tables::ReadRefineStanding(snapshot));
  sample.complete_through_ms =
      standing.pass ? standing.complete_through_ms : tables::ReadCompleteThrough(snapshot.Txns());
  if (!has_progress_) return sample;
  for (const auto& [key, next] : tables::ReadProgress(snapshot.Txns())) {
    sample.progress[key] = tables::ReadPartitionState(snapshot.Txns(), key.topic_id, key.partition);
  }
  return sample;
}

QuarantineLook::QuarantineLook(std::shared_ptr<lake::ObjectStore> store, const std::string& path)
    : newest_(std::move(store), path) {}

Result<QuarantineSample> QuarantineLook::Look() {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, newest_.Read());
  QuarantineSample sample;
  if (snapshot == nullptr) {
    causes_of_.clear();
    return sample;
  }
  std::map<std::string, Causes> live;
  Status read;
  for (const DataFile& file : snapshot->Files()) {
    Causes& causes = live[file.path];
    auto known = causes_of_.extract(file.path);
    if (!known.empty()) {
      causes = std::move(known.mapped());
    } else if (ShutdownRequested()) {
      read = Unavailable("stopping");
    } else if (read.ok()) {
      auto counted = tables::CountCauses(newest_.store(), newest_.path(), file, snapshot->schema());
      read = counted.status();
      if (counted.ok()) causes = *std::move(counted);
    }
    if (!read.ok()) {
      live.erase(file.path);
      continue;
    }
    for (const auto& [cause, rows] : causes) sample.rows_by_cause[cause] += rows;
  }
  causes_of_ = std::move(live);
  ARROW_RETURN_NOT_OK(read);
  return sample;
}

}  // namespace shopstream::observe
