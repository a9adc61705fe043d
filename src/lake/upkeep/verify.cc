#include "lake/upkeep/verify.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "base/format.h"
#include "base/runtime.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/table.h"
#include "lake/delta/table_state.h"
#include "lake/upkeep/data_listing.h"
#include "lake/upkeep/verify_entry.h"
#include "lake/upkeep/verify_file.h"
#include "lake/upkeep/verify_log.h"

namespace shopstream::lake {
namespace {

// Files per batch, and threads that check them: an object store answers many as fast as one.
constexpr size_t kFilesAtOnce = 256;
constexpr size_t kThreads = 4;

// The contents of the table's folder: 24 bytes per file.
class Listing {
 public:
  void Add(const ObjectEntry& object) {
    objects_.push_back({HashOf(object.path), object.size_bytes, false});
  }
  void Finish() {
    std::sort(objects_.begin(), objects_.end(),
              [](const Object& a, const Object& b) { return a.path < b.path; });
  }
  // The file's size; marks it as named. Nothing: not listed. `*again`: it was already named.
  std::optional<int64_t> Name(const std::string& path, bool* again) {
    const auto it = std::lower_bound(
        objects_.begin(), objects_.end(), HashOf(path),
        [](const Object& object, uint64_t wanted) { return object.path < wanted; });
    if (it == objects_.end() || it->path != HashOf(path)) return std::nullopt;
    *again = std::exchange(it->named, true);
    return it->size_bytes;
  }
  int64_t files() const { return static_cast<int64_t>(objects_.size()); }
  template <typename Visit>
  void ForEachOrphan(const Visit& visit) const {
    for (const Object& object : objects_) {
      if (!object.named) visit(object.size_bytes);
    }
  }

 private:
  struct Object {
    uint64_t path;
    int64_t size_bytes;
    bool named;
  };
  static uint64_t HashOf(const std::string& path) { return std::hash<std::string>{}(path); }

  std::vector<Object> objects_;
};

class Verifier {
 public:
  Verifier(ObjectStore* store, const std::string& table_path, const VerifyOptions& options,
           const std::function<bool()>& stop)
      : store_(store), table_path_(table_path), options_(options), stop_(stop) {}

  Result<VerifyReport> Run() {
    auto table = Table::Open(store_, table_path_);
    if (!table.ok() && !table.status().IsInvalid()) return table.status();
    if (table.ok()) {
      table_ = *std::move(table);
      snapshot_ = table_->snapshot();
    }
    ARROW_RETURN_NOT_OK(CheckTheLog());
    if (table_ != nullptr) {
      ARROW_RETURN_NOT_OK(List());
      ARROW_RETURN_NOT_OK(CheckFiles());
      CountOrphans();
    } else {
      Find(LogFolder(table_path_), table.status().message());
    }
    report_.finished = !stop_();
    // Files were checked by several threads.
    std::stable_sort(
        report_.findings.begin(), report_.findings.end(),
        [](const VerifyFinding& a, const VerifyFinding& b) { return a.path < b.path; });
    return std::move(report_);
  }

 private:
  void Find(const std::string& path, const std::string& reason) {
    const std::lock_guard lock(mutex_);
    ++report_.finding_count;
    if (report_.findings.size() < options_.max_findings) report_.findings.push_back({path, reason});
  }
  void FindFile(const DataFile& file, const std::string& reason) {
    Find(table_path_ + "/" + file.path, reason);
  }
  void Progress(const char* what, int64_t done, int64_t total) {
    if (options_.on_progress) options_.on_progress(what, done, total);
  }

  Status CheckTheLog() {
    ARROW_ASSIGN_OR_RAISE(
        const LogCheck check,
        CheckLog(
            store_, table_path_, options_.deep,
            snapshot_ == nullptr ? std::nullopt : std::optional(snapshot_->partition_columns()),
            [this](const std::string& path, const std::string& reason) { Find(path, reason); },
            [this](int64_t done, int64_t total) { Progress("log entries", done, total); }, stop_));
    report_.log_entries = check.entries;
    report_.checkpoints = check.checkpoints;
    report_.checkpoints_compared = check.checkpoints_compared;
    return Status::OK();
  }

  // After the snapshot, so that each of its files is in the listing.
  Status List() {
    snapshot_ = table_->snapshot();
    report_.version = snapshot_->version();
    for (const std::string& fault : MetadataFaults(StateOf(*snapshot_))) {
      Find(LogFolder(table_path_), fault);
    }
    FindRepairs();
    ARROW_RETURN_NOT_OK(ForEachDataFolder(
        store_, table_path_, snapshot_->partition_columns().size(),
        [this](const std::vector<ObjectEntry>& files) {
          for (const ObjectEntry& file : files) listing_.Add(file);
          Progress("files listed", listing_.files(), 0);
          return Status::OK();
        },
        stop_));
    listing_.Finish();
    return Status::OK();
  }

  void FindRepairs() {
    StateOf(*snapshot_).ForEachAdd([this](const AddFile& add) {
      const RepairNeeds needs = NeedsByLog(add, *snapshot_);
      report_.repairs.Add(needs);
      if (const auto fault = PathFault(add.file.path); !fault.empty()) FindFile(add.file, fault);
      if (needs.path) FindFile(add.file, "Spark's VACUUM would delete it: needs `table repair`");
      if (needs.partition) FindFile(add.file, "no reader accepts its date: needs `table repair`");
    });
  }

  Status CheckFiles() {
    std::vector<DataFile> batch;
    Status status;
    snapshot_->VisitFiles([&](const DataFile& file) {
      if (!status.ok() || stop_()) return;
      batch.push_back(file);
      if (batch.size() == kFilesAtOnce) status = CheckBatch(std::exchange(batch, {}));
    });
    ARROW_RETURN_NOT_OK(status);
    return stop_() ? Status::OK() : CheckBatch(batch);
  }

  Status CheckBatch(const std::vector<DataFile>& batch) {
    std::atomic<size_t> next = 0;
    std::vector<Status> statuses(std::min(kThreads, batch.size()));
    std::vector<Thread> threads;
    // Name() marks the files, so only this thread may call it.
    std::vector<std::optional<int64_t>> sizes;
    for (const DataFile& file : batch) {
      bool again = false;
      sizes.push_back(listing_.Name(file.path, &again));
      if (again) FindFile(file, "the log names it twice");
    }
    for (Status& status : statuses) {
      threads.emplace_back([&] {
        for (size_t i; status.ok() && (i = next++) < batch.size();) {
          status = CheckFile(batch[i], sizes[i]);
        }
      });
    }
    for (Thread& thread : threads) thread.join();
    for (const Status& status : statuses) ARROW_RETURN_NOT_OK(status);
    report_.files += static_cast<int64_t>(batch.size());
    Progress("files checked", report_.files, snapshot_->file_count());
    return Status::OK();
  }

  Status CheckFile(const DataFile& file, std::optional<int64_t> size) {
    for (const std::string& reason : CheckPartition(file, *snapshot_)) FindFile(file, reason);
    if (!size) {
      // It may be hidden from the listing or outside its partition's folder: look it up directly.
      ARROW_ASSIGN_OR_RAISE(size, SizeOf(file));
      if (!size) return Vanished(file);
    }
    {
      const std::lock_guard lock(mutex_);
      report_.bytes += *size;
    }
    if (*size != file.size_bytes) {
      FindFile(file, "it has " + Counted(*size, "byte") + ", the log says " +
                         FormatCount(file.size_bytes));
    }
    const auto check =
        CheckFileContent(store_, table_path_, file, *snapshot_->schema(), options_.deep);
    if (!check.ok()) {
      ARROW_ASSIGN_OR_RAISE(const auto there, SizeOf(file));  // An error: the store is down.
      if (!there) return Vanished(file);
      FindFile(file, "it cannot be read: " + check.status().message());
      return Status::OK();
    }
    for (const std::string& reason : check->reasons) FindFile(file, reason);
    const std::lock_guard lock(mutex_);
    report_.rows += check->rows;
    return Status::OK();
  }

  Result<std::optional<int64_t>> SizeOf(const DataFile& file) {
    const std::string path = table_path_ + "/" + file.path;
    ARROW_ASSIGN_OR_RAISE(const auto objects, store_->List(path));
    for (const ObjectEntry& object : objects) {
      if (object.path == path) return std::optional(object.size_bytes);
    }
    return std::optional<int64_t>();
  }

  // An optimizer may have removed it from the table, and a vacuum deleted it, since the start.
  Status Vanished(const DataFile& file) {
    ARROW_ASSIGN_OR_RAISE(const auto newest, table_->Refresh());
    const auto& state = StateOf(*newest);
    if (state.FindFiles({file.path})[0]) {
      FindFile(file, "it is missing; the log says " + Counted(file.size_bytes, "byte") + ", " +
                         (file.rows < 0 ? "rows unknown" : Counted(file.rows, "row")));
    }
    return Status::OK();
  }

  void CountOrphans() {
    bool again = false;
    snapshot_->VisitRemoved([&](const std::string& path, int64_t) { listing_.Name(path, &again); });
    listing_.ForEachOrphan([this](int64_t size_bytes) {
      ++report_.orphan_files;
      report_.orphan_bytes += size_bytes;
    });
  }

  ObjectStore* const store_;
  const std::string& table_path_;
  const VerifyOptions& options_;
  const std::function<bool()>& stop_;
  std::unique_ptr<Table> table_;
  std::shared_ptr<const Snapshot> snapshot_;
  Listing listing_;
  std::mutex mutex_;
  VerifyReport report_;  // Findings, rows and bytes: guarded by mutex_.
};

}  // namespace

Result<VerifyReport> VerifyTable(ObjectStore* store, const std::string& table_path,
                                 const VerifyOptions& options, const std::function<bool()>& stop) {
  return Verifier(store, table_path, options, stop).Run();
}

}  // namespace shopstream::lake
