#include "lake/upkeep/vacuum.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/format.h"
#include "lake/delta/retention.h"
#include "lake/delta/table_state.h"
#include "lake/upkeep/data_listing.h"

namespace shopstream::lake {
namespace {

// Candidates held at the same time; each batch costs one read of the newest version.
constexpr size_t kBatch = 10'000;

class Vacuumer {
 public:
  Vacuumer(Table* table, const VacuumOptions& options, const std::function<bool()>& stop,
           int64_t now_ms)
      : table_(table), options_(options), stop_(stop), now_ms_(now_ms) {}

  Result<VacuumResult> Run() {
    ARROW_ASSIGN_OR_RAISE(const auto snapshot, table_->Refresh());
    // Excludes most files early; candidates are checked again before they are deleted.
    named_ = NamedSince(*snapshot);
    named_version_ = snapshot->version();
    // The owner of the table may ask for longer, because their commits may take longer.
    retention_ms_ = options_.retention.count();
    if (!options_.force) {
      retention_ms_ = std::max(retention_ms_, TombstoneRetentionMs(snapshot->properties()));
    }
    const size_t partition_columns = snapshot->partition_columns().size();
    ARROW_RETURN_NOT_OK(ForEachDataFolder(
        table_->store(), table_->path(), partition_columns,
        [this](const std::vector<ObjectEntry>& files) { return Sift(files); }, stop_));
    ARROW_RETURN_NOT_OK(DeleteCandidates());
    if (stop_()) {
      result_.finished = false;
    } else if (!options_.dry_run) {
      ARROW_ASSIGN_OR_RAISE(result_.uploads_given_up,
                            table_->store()->RemoveAbandonedWrites(options_.retention));
    }
    return result_;
  }

 private:
  PathSet NamedSince(const Snapshot& snapshot) const {
    // Removal times are by the remover's own clock, so use the earlier of the two clocks.
    const int64_t now_ms = std::min(now_ms_, WallClockMillis());
    return NamedFiles(snapshot, now_ms - TombstoneRetentionMs(snapshot.properties()));
  }

  Status Sift(const std::vector<ObjectEntry>& files) {
    for (const ObjectEntry& file : files) {
      ++result_.files_seen;
      const bool old = now_ms_ - file.modified_ms > retention_ms_;
      if (old && !named_.Contains(file.path)) candidates_.push_back(file);
    }
    if (options_.on_progress) options_.on_progress(result_.files_seen);
    return candidates_.size() < kBatch ? Status::OK() : DeleteCandidates();
  }

  Status DeleteCandidates() {
    if (candidates_.empty()) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto newest, table_->Refresh());
    if (newest->version() != named_version_) {
      named_ = NamedSince(*newest);
      named_version_ = newest->version();
    }
    for (const ObjectEntry& file : std::exchange(candidates_, {})) {
      if (stop_()) return Status::OK();
      if (named_.Contains(file.path)) continue;
      if (!options_.dry_run) {
        ARROW_RETURN_NOT_OK(table_->store()->Delete(table_->path() + "/" + file.path));
      }
      ++result_.files;
      result_.bytes += file.size_bytes;
      if (options_.on_file) options_.on_file(file);
    }
    return Status::OK();
  }

  Table* const table_;
  const VacuumOptions& options_;
  const std::function<bool()>& stop_;
  const int64_t now_ms_;  // By the server's clock, before the listing.
  int64_t retention_ms_ = 0;
  PathSet named_;
  int64_t named_version_ = -1;
  std::vector<ObjectEntry> candidates_;
  VacuumResult result_;
};

}  // namespace

Result<VacuumResult> Vacuum(Table* table, const VacuumOptions& options,
                            const std::function<bool()>& stop) {
  if (options.retention < VacuumOptions::kMinRetention && !options.force) {
    return Status::Invalid("a retention of ", FormatMillis(options.retention.count()),
                           " would delete files of commits in progress: keep ",
                           FormatMillis(VacuumOptions::kMinRetention.count()),
                           " or more, or add --force if nothing is writing to the table");
  }
  // Reading the server's clock needs a write, which a read-only user may not be allowed.
  const auto now_ms = table->store()->Now();
  if (!options.dry_run) ARROW_RETURN_NOT_OK(now_ms.status());
  return Vacuumer(table, options, stop, now_ms.ok() ? *now_ms : WallClockMillis()).Run();
}

}  // namespace shopstream::lake
