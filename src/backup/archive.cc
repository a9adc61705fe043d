#include "backup/archive.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/log.h"
#include "lake/delta/retention.h"
#include "lake/delta/table_at.h"
#include "lake/delta/table_state.h"
#include "lake/store/put_proof.h"
#include "lake/store/uuid.h"
#include "tables/names.h"

namespace shopstream::backup {
namespace {

// Other programs may replace files while they are copied.
constexpr int kArchiveAttempts = 5;
constexpr char kArchiveOperation[] = "ARCHIVE";

using FilesByPath = std::map<std::string, DataFile>;

FilesByPath ByPath(std::vector<DataFile> files) {
  FilesByPath by_path;
  for (DataFile& file : files) {
    std::string path = file.path;
    by_path.emplace(std::move(path), std::move(file));
  }
  return by_path;
}

// What describes the rows, and what Delta keeps for its writers. Not what ingest and refine know
// about the table. The archive keeps its whole log, so that readers find the version that counts.
std::map<std::string, std::string> PropertiesOf(const lake::Snapshot& table,
                                                const std::string& id) {
  std::map<std::string, std::string> properties = tables::ArchiveOfProperty(id);
  properties["delta.enableExpiredLogCleanup"] = "false";
  properties["delta.deletedFileRetentionDuration"] = "interval 7 days";  // A copy may take hours.
  for (const auto& [name, value] : table.properties()) {
    const bool is_ours = name.starts_with("shopstream.");
    const bool describes = name == tables::kReaderSchemaProperty ||
                           name == tables::kLayoutProperty ||
                           name == tables::kPartitionValuesProperty;
    if (!is_ours || describes) properties.emplace(name, value);
  }
  return properties;
}

std::string TableIdOf(const lake::Snapshot& table) { return lake::StateOf(table).metadata().id; }

// One run: a number, and the state of both tables that it builds on.
class ArchiveRun {
 public:
  ArchiveRun(lake::Table* table, lake::ObjectStore* place, const ArchiveOptions& options)
      : table_(table), place_(place), options_(options), path_(table->path()) {}

  const tables::ArchiveLink& link() const { return link_; }

  // False: another run was faster.
  Result<bool> Reserve() {
    ARROW_RETURN_NOT_OK(Open());
    // Read after the archive, whose runs it then knows.
    ARROW_ASSIGN_OR_RAISE(const auto snapshot, table_->Refresh());
    ARROW_ASSIGN_OR_RAISE(const auto known, tables::ReadArchiveLink(*snapshot));
    ARROW_RETURN_NOT_OK(CheckMayArchive(*snapshot, path_, options_));
    const bool is_elsewhere = !known || known->place != options_.place;
    if (is_elsewhere && archive_ != nullptr) {
      return Status::Invalid(options_.place, " already has a table ", path_,
                             ", which is not the archive of this table: use another place");
    }
    link_ = known.value_or(tables::ArchiveLink());
    if (is_elsewhere) {
      link_.place = options_.place;
      link_.id = lake::NewUuid();
    }
    link_.table_id = TableIdOf(*snapshot);
    int64_t last = 0;
    if (archive_ != nullptr) {
      ARROW_RETURN_NOT_OK(tables::CheckIsArchive(*archive_->snapshot(), path_, link_));
      last = tables::LastArchived(*archive_->snapshot());
    }
    if (last > link_.reserved && !options_.after_restore) return UnknownRuns(last);
    const int64_t before = link_.reserved;
    link_.reserved = std::max(last, before) + 1;
    return CommitReservation(known);
  }

  // Creates the archive if necessary, and finds out what earlier runs left in it that the table
  // still has. False: a later run was faster.
  Result<bool> OpenArchive() {
    ARROW_RETURN_NOT_OK(Open());  // Another run may have been done meanwhile.
    ARROW_RETURN_NOT_OK(CheckHasReleased());
    if (archive_ == nullptr) {
      const auto snapshot = table_->snapshot();
      ARROW_RETURN_NOT_OK(
          lake::Table::Create(place_, {.path = path_,
                                       .schema = snapshot->schema(),
                                       .partition_columns = snapshot->partition_columns(),
                                       .properties = PropertiesOf(*snapshot, link_.id)}));
    }
    ARROW_RETURN_NOT_OK(Open());
    if (archive_ == nullptr)
      return Gone("the archive of ", path_, " was deleted from ", link_.place);
    ARROW_RETURN_NOT_OK(tables::CheckIsArchive(*archive_->snapshot(), path_, link_));
    if (tables::LastArchived(*archive_->snapshot()) >= link_.reserved) return false;
    ARROW_RETURN_NOT_OK(FindLeftOver());
    return true;
  }

  // What the archive still needs. Corrupt: it has a file that the table has not released.
  Result<std::vector<DataFile>> Missing(const std::vector<DataFile>& wanted) const {
    std::set<std::string> released;
    std::set<std::string> left_over;
    for (const DataFile& file : archive_->snapshot()->Files()) {
      auto& names = left_over_.contains(file.path) ? left_over : released;
      names.insert(tables::NameInTable(file.path));
    }
    std::vector<DataFile> missing;
    for (const DataFile& file : wanted) {
      if (left_over.contains(file.path)) continue;
      if (released.contains(file.path)) {
        return Corrupt("the archive of ", path_, " in ", link_.place, " has ", file.path,
                       " although ", path_, " has it too: remove it from one of them");
      }
      missing.push_back(file);
    }
    return missing;
  }

  // Invalid: Commit would remove rows that are nowhere else.
  Status CheckUndone(const std::vector<DataFile>& wanted, const ArchiveHooks& hooks) const {
    const std::vector<DataFile> undone = Undone(wanted);
    if (undone.empty()) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const int64_t missing,
                          hooks.count_missing(*archive_->snapshot(), undone));
    if (missing == 0) return Status::OK();
    return Status::Invalid("the archive of ", path_, " in ", link_.place, " has ",
                           Counted(missing, "row"), " of runs after run ", link_.released, " that ",
                           path_,
                           " does not have: they would be lost. First let ingest read "
                           "again what Kafka still has, then run the same command again");
  }

  Status Copy(const std::vector<DataFile>& files) const {
    std::vector<CopyJob> jobs;
    for (const DataFile& file : files) {
      jobs.push_back({.from = path_ + "/" + file.path,
                      .to = path_ + "/" + tables::CopyName(copy_id_, file.path),
                      .bytes = file.size_bytes,
                      .sha256 = ""});
    }
    CopyOptions copying;
    copying.threads = options_.threads;
    copying.stop = options_.stop;
    copying.on_progress = options_.on_progress;
    return CopyAll(table_->store(), place_, jobs, copying);
  }

  // Makes the archive have exactly `wanted` in addition to what the table has released. False:
  // another run, or another program, was faster.
  Result<bool> Commit(const std::vector<DataFile>& wanted, std::vector<DataFile> copied,
                      BootClock::time_point written_since) {
    lake::Changes changes;
    changes.operation = kArchiveOperation;
    for (DataFile& file : copied) file.path = tables::CopyName(copy_id_, file.path);
    changes.adds = std::move(copied);
    changes.written_since = written_since;
    changes.removes = Undone(wanted);
    changes.txns = tables::ArchivedTxn(link_.reserved);
    changes.growth = lake::TableGrowth{.columns = table_->snapshot()->schema(), .properties = {}};
    const int64_t base = archive_->snapshot()->version();
    const auto prepare = [&](const lake::Snapshot& now) -> Result<lake::ChangesOrRefusal> {
      if (now.version() == base) return changes;
      return lake::Refusal{.why = "another program has changed the archive"};
    };
    return Committed(archive_->Commit(prepare, Deadline()));
  }

 private:
  // What earlier runs left in the archive, without copies of `wanted`.
  std::vector<DataFile> Undone(const std::vector<DataFile>& wanted) const {
    std::set<std::string> names;
    for (const DataFile& file : wanted) names.insert(file.path);
    std::vector<DataFile> undone;
    for (const auto& [path, file] : left_over_) {
      if (!names.contains(tables::NameInTable(path))) undone.push_back(file);
    }
    return undone;
  }

  BootClock::time_point Deadline() const { return BootClock::now() + options_.commit_deadline; }

  Status Open() {
    auto opened = lake::Table::Open(place_, path_);
    archive_.reset();
    if (opened.status().IsKeyError()) return Status::OK();
    ARROW_RETURN_NOT_OK(opened.status());
    archive_ = *std::move(opened);
    return Status::OK();
  }

  // Gone: rows that the table has released are missing.
  Status CheckHasReleased() const {
    const int64_t last = archive_ == nullptr ? 0 : tables::LastArchived(*archive_->snapshot());
    if (last >= link_.released) return Status::OK();
    return Gone("the archive of ", path_, " in ", link_.place, " is missing, or lacks run ",
                link_.released, ": restore it before more rows are moved");
  }

  Status UnknownRuns(int64_t last) const {
    return Status::Invalid(
        "the archive of ", path_, " in ", link_.place, " has run ", last, ", but ", path_,
        " knows of runs up to ", link_.reserved, ": ", path_,
        " was restored from a backup, or is a copy. If it is the one to keep, let ingest read "
        "again "
        "what Kafka still has, then give --after-restore, which removes the rows of later runs "
        "from the archive");
  }

  // `known`: the link that the run builds on.
  Result<bool> CommitReservation(const std::optional<tables::ArchiveLink>& known) {
    const bool is_elsewhere = !known || known->id != link_.id;
    const auto prepare = [&](const lake::Snapshot& now) -> Result<lake::ChangesOrRefusal> {
      ARROW_ASSIGN_OR_RAISE(const auto link, tables::ReadArchiveLink(now));
      const bool is_same = link.has_value() == known.has_value() &&
                           (!link || (link->id == known->id && link->reserved == known->reserved));
      const bool has_rows = link && link->released > 0;
      if (!is_same || (is_elsewhere && has_rows)) {
        return lake::Refusal{.why = "another run of `table archive` has begun"};
      }
      // An earlier run may have released its rows just now; from this commit on, it cannot.
      link_.released = link ? link->released : 0;
      lake::Changes changes;
      changes.operation = "RESERVE ARCHIVE RUN";
      changes.txns = tables::ReservedTxn(link_.reserved);
      changes.data_change = false;
      if (is_elsewhere || known->table_id != link_.table_id) {
        changes.growth = lake::TableGrowth{.columns = now.schema(),
                                           .properties = tables::ArchiveProperty(link_)};
      }
      return changes;
    };
    return Committed(table_->Commit(prepare, Deadline()));
  }

  // Files of runs that the table has not released.
  Status FindLeftOver() {
    left_over_.clear();
    const auto newest = archive_->snapshot();
    if (tables::LastArchived(*newest) <= link_.released) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto versions, tables::UnreleasedVersions(place_, path_, link_));
    for (const int64_t version : versions) {
      ARROW_ASSIGN_OR_RAISE(const auto before,
                            tables::SnapshotBefore(place_, path_, link_, version));
      ARROW_ASSIGN_OR_RAISE(const auto after, lake::SnapshotAt(place_, path_, version));
      const FilesByPath had = ByPath(before->Files());
      FilesByPath has = ByPath(after->Files());
      for (const auto& [path, file] : had) {
        if (!has.contains(path)) left_over_.erase(path);
      }
      for (auto& [path, file] : has) {
        if (!had.contains(path)) left_over_.insert_or_assign(path, std::move(file));
      }
    }
    const FilesByPath live = ByPath(newest->Files());
    for (const auto& [path, file] : left_over_) {
      if (live.contains(path)) continue;
      return Status::Invalid("another program has replaced ", path, " in the archive of ", path_,
                             ", whose rows ", path_, " has not released yet: restore ", path_,
                             " in ", link_.place, " to version ", versions.back());
    }
    return Status::OK();
  }

  static Result<bool> Committed(const Result<lake::CommitResult>& result) {
    ARROW_RETURN_NOT_OK(result.status());
    if (result->outcome == lake::CommitOutcome::kCommitted) return true;
    if (result->too_old) {
      return Status::Invalid(
          "copying took so long that a vacuum may delete the copies: move fewer "
          "dates at a time");
    }
    if (result->outcome == lake::CommitOutcome::kUnknown || !result->refusal) {
      return Unavailable(result->detail, "; run the same command again");
    }
    return false;
  }

  lake::Table* const table_;
  lake::ObjectStore* const place_;
  const ArchiveOptions& options_;
  const std::string path_;
  tables::ArchiveLink link_;
  std::unique_ptr<lake::Table> archive_;  // Null: there is none yet.
  FilesByPath left_over_;
  const std::string copy_id_ = tables::NewCopyId();
};

// Whether a run would change anything: one that was killed may have left files in the archive.
bool HasArchiveWork(const std::vector<DataFile>& files,
                    const std::optional<tables::ArchiveLink>& link) {
  return !files.empty() || (link && link->reserved > link->released);
}

// Nothing: something has changed meanwhile.
Result<std::optional<ArchiveResult>> TryArchive(lake::Table* table, lake::ObjectStore* place,
                                                const ArchiveOptions& options,
                                                const ArchiveHooks& hooks) {
  ARROW_ASSIGN_OR_RAISE(const auto before, table->Refresh());
  ARROW_ASSIGN_OR_RAISE(const auto known, tables::ReadArchiveLink(*before));
  ARROW_ASSIGN_OR_RAISE(auto files, hooks.find(*table));
  ArchiveResult result;
  if (!HasArchiveWork(files, known)) return result;
  ArchiveRun run(table, place, options);
  ARROW_ASSIGN_OR_RAISE(const bool is_reserved, run.Reserve());
  if (!is_reserved) return std::nullopt;
  // No earlier run can release any of these.
  ARROW_RETURN_NOT_OK(table->Refresh().status());
  ARROW_ASSIGN_OR_RAISE(files, hooks.find(*table));
  ARROW_ASSIGN_OR_RAISE(const bool is_newest, run.OpenArchive());
  if (!is_newest) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(auto missing, run.Missing(files));
  ARROW_RETURN_NOT_OK(run.CheckUndone(files, hooks));
  const auto written_since = BootClock::now();
  const Status copied = run.Copy(missing);
  if (!copied.ok() && KindOf(copied) == ErrorKind::kGone) {
    Log::Info("{}", copied.message());
    return std::nullopt;
  }
  ARROW_RETURN_NOT_OK(copied);
  result.run = run.link().reserved;
  for (const DataFile& file : files) result.bytes += file.size_bytes;
  for (const DataFile& file : missing) result.copied_bytes += file.size_bytes;
  result.files = std::ssize(files);
  result.copied_files = std::ssize(missing);
  ARROW_ASSIGN_OR_RAISE(const bool is_archived,
                        run.Commit(files, std::move(missing), written_since));
  if (!is_archived) return std::nullopt;
  ARROW_RETURN_NOT_OK(hooks.release(result.run, tables::DigestOf(files)));
  ARROW_ASSIGN_OR_RAISE(const auto after, table->Refresh());
  ARROW_ASSIGN_OR_RAISE(const auto link, tables::ReadArchiveLink(*after));
  if (!link || link->released < result.run) return std::nullopt;
  return result;
}

}  // namespace

Status CheckMayArchive(const lake::Snapshot& table, const std::string& path,
                       const ArchiveOptions& options) {
  if (lake::MayBeOn(table.properties(), "delta.appendOnly")) {
    return Status::Invalid(path, " is append-only (delta.appendOnly), so no row can be moved");
  }
  ARROW_ASSIGN_OR_RAISE(const auto link, tables::ReadArchiveLink(table));
  if (!link) return Status::OK();
  if (link->released > 0 && link->place != options.place) {
    return Status::Invalid("the archive of ", path, " is in ", link->place,
                           ": a table has one archive. Give --to ", link->place);
  }
  const bool is_same = link->table_id.empty() || link->table_id == TableIdOf(table);
  if (is_same || link->place != options.place || options.after_restore) return Status::OK();
  return Status::Invalid(
      path, " was restored from a backup since its last run of `table archive`, or is a copy. If ",
      link->place, " is its archive and no other table's, give --after-restore");
}

Result<ArchiveResult> Archive(lake::Table* table, lake::ObjectStore* place,
                              const ArchiveOptions& options, const ArchiveHooks& hooks) {
  ARROW_RETURN_NOT_OK(lake::ProvePutIfAbsent(place, table->path()));
  for (int attempt = 1; attempt <= kArchiveAttempts; ++attempt) {
    if (options.stop && options.stop()) return Status::Cancelled("stopped");
    ARROW_ASSIGN_OR_RAISE(auto result, TryArchive(table, place, options, hooks));
    if (result) {
      result->attempts = attempt;
      return *result;
    }
    Log::Info("{} has changed while its rows were copied: trying again", table->path());
  }
  return Unavailable(
      "the files of ", table->path(), " were replaced while they were copied, in ",
      kArchiveAttempts,
      " attempts: no row was moved. Run the same command again, or move older dates");
}

}  // namespace shopstream::backup
