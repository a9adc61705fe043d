#include "backup/create.h"

#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backup/pins.h"
#include "backup/turn.h"
#include "base/error_kind.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/version.h"
#include "lake/delta/checkpoint.h"
#include "lake/delta/table_state.h"

namespace shopstream::backup {
namespace {

// How often the tables are pinned again because a vacuum was faster than the copy.
constexpr int kPinnings = 10;

std::string NewId(int64_t now_ms) {
  std::string id;  // "2026-11-30T13:40:12.345Z" without the separators of date and time.
  for (const char c : FormatTimestamp(now_ms)) {
    if (c != '-' && c != ':') id += c;
  }
  return id;
}

// One attempt: a set of pins, and the files that they need.
struct Attempt {
  struct Wanted {
    size_t table;  // In `pins`.
    StoredFile file;
  };
  std::vector<PinnedTable> pins;
  std::map<std::string, std::string> left_out;  // See Pins.
  std::vector<Wanted> files;
  std::vector<CopyJob> jobs;
  std::vector<size_t> job_files;  // For each job, its place in `files`.
  std::string gone;               // The file that was missing, if one was.
  std::string gone_table;
  int64_t gone_version = 0;  // The version of its table that is pinned.
};

bool IsRefined(const std::string& file, const RefineConfig& refine) {
  return file.starts_with(refine.gold_folder + "/") ||
         file.starts_with(refine.silver_table + "/") ||
         file.starts_with(refine.rejects_table + "/");
}

class Creation {
 public:
  Creation(lake::ObjectStore* lake, lake::ObjectStore* place, const CreateOptions& options)
      : lake_(lake), place_(place), options_(options) {
    manifest_.started_ms = WallClockMillis();
    manifest_.id = NewId(manifest_.started_ms);
    manifest_.source = lake->Describe();
    manifest_.program = kVersion;
  }

  const std::string& id() const { return manifest_.id; }

  Result<Manifest> Run(const LakeConfig& tables, const RefineConfig& refine, const Turn& turn) {
    ARROW_RETURN_NOT_OK(ReadPresent());
    std::map<std::string, int64_t> gone_before;  // Path -> pinned version of its table.
    std::map<std::string, std::string> damaged;  // Tables of others, and why they are left out.
    PinFrom from = PinFrom::kCompletePass;
    for (int i = 0; i < kPinnings; ++i) {
      Attempt attempt;
      ARROW_ASSIGN_OR_RAISE(Pins pins, PinTables(lake_, tables, refine, from));
      attempt.pins = std::move(pins.tables);
      attempt.left_out = std::move(pins.left_out);
      LeaveOut(damaged, &attempt);
      Plan(&attempt);
      const Status copied = CopyFiles(&attempt);
      if (copied.ok()) return Publish(attempt, turn);
      if (attempt.gone.empty()) return copied;
      const auto before = gone_before.find(attempt.gone);
      if (before != gone_before.end() && before->second == attempt.gone_version) {
        const Status missing = Missing(attempt.gone);
        if (IsOfPipeline(attempt.gone_table, tables, refine)) return missing;
        damaged[attempt.gone_table] = missing.message();
        i = 0;
        continue;
      }
      gone_before[attempt.gone] = attempt.gone_version;
      if (IsRefined(attempt.gone, refine)) from = PinFrom::kNewest;
      Log::Info("{} was deleted before it was copied: taking newer versions of the tables",
                attempt.gone);
    }
    return Unavailable("files of ", lake_->Describe(), " are deleted faster than they are copied (",
                       kPinnings, " attempts): raise delta.deletedFileRetentionDuration of the ",
                       "tables, or stop their maintenance during the backup");
  }

 private:
  Status Missing(const std::string& path) const {
    return Corrupt(path, " is missing in ", lake_->Describe(),
                   ", although its table names it: the ",
                   "table is damaged and cannot be backed up. `shopstream table verify` lists all ",
                   "missing files");
  }

  void LeaveOut(const std::map<std::string, std::string>& damaged, Attempt* attempt) {
    std::erase_if(attempt->pins,
                  [&](const PinnedTable& pin) { return damaged.contains(pin.path); });
    manifest_.damaged.clear();
    for (const auto& [path, why] : damaged) {
      attempt->left_out[path] = why;
      manifest_.damaged.push_back(path);
    }
  }

  // What the place has, and which hashes are known from the newest backup.
  Status ReadPresent() {
    ARROW_ASSIGN_OR_RAISE(const auto objects, place_->List(kDataFolder));
    for (const lake::ObjectEntry& object : objects) present_[object.path] = object.size_bytes;
    ARROW_ASSIGN_OR_RAISE(const Backups backups, ReadBackups(place_));
    if (backups.finished.empty()) return Status::OK();
    for (const BackedUpTable& table : backups.finished.back().tables) {
      const auto files = ReadFileList(place_, table);
      if (!files.ok()) {
        Log::Warn("{}", files.status().message());
        continue;
      }
      for (const StoredFile& file : *files) {
        hashes_[StoredDataPath(table.path, file.path)] = file.sha256;
      }
    }
    return Status::OK();
  }

  void Plan(Attempt* attempt) {
    for (size_t i = 0; i < attempt->pins.size(); ++i) {
      const PinnedTable& pin = attempt->pins[i];
      pin.snapshot->VisitFiles([&](const DataFile& file) {
        const std::string stored = StoredDataPath(pin.path, file.path);
        const auto there = present_.find(stored);
        const bool is_there = there != present_.end() && there->second == file.size_bytes;
        const auto hash = is_there ? hashes_.find(stored) : hashes_.end();
        if (hash == hashes_.end()) {
          attempt->job_files.push_back(attempt->files.size());
          // A killed create left it: only its hash is unknown.
          attempt->jobs.push_back({.from = pin.path + "/" + file.path,
                                   .to = is_there ? "" : stored,
                                   .bytes = file.size_bytes,
                                   .sha256 = ""});
        }
        attempt->files.push_back(
            {i, {file.path, file.size_bytes, hash == hashes_.end() ? "" : hash->second}});
      });
    }
  }

  Status CopyFiles(Attempt* attempt) {
    CopyOptions copying;
    copying.threads = options_.threads;
    copying.stop = options_.stop;
    copying.on_progress = options_.on_progress;
    copying.on_done = [&](size_t i, const std::string& hash) {
      const CopyJob& job = attempt->jobs[i];
      Attempt::Wanted& wanted = attempt->files[attempt->job_files[i]];
      wanted.file.sha256 = hash;
      const std::string stored = StoredDataPath(attempt->pins[wanted.table].path, wanted.file.path);
      present_[stored] = job.bytes;
      hashes_[stored] = hash;
      if (job.to.empty()) return;
      ++manifest_.copied_files;
      manifest_.copied_bytes += job.bytes;
    };
    copying.on_failed = [&](size_t i, const Status& failure) {
      if (KindOf(failure) == ErrorKind::kGone) {
        const size_t table = attempt->files[attempt->job_files[i]].table;
        attempt->gone = attempt->jobs[i].from;
        attempt->gone_table = attempt->pins[table].path;
        attempt->gone_version = lake::StateOf(*attempt->pins[table].snapshot).version();
      }
      return failure;
    };
    return CopyAll(lake_, place_, attempt->jobs, copying);
  }

  Result<Manifest> Publish(const Attempt& attempt, const Turn& turn) {
    std::vector<std::vector<StoredFile>> lists(attempt.pins.size());
    for (const Attempt::Wanted& wanted : attempt.files) {
      lists[wanted.table].push_back(wanted.file);
    }
    for (size_t i = 0; i < attempt.pins.size(); ++i) {
      ARROW_RETURN_NOT_OK(AddTable(attempt.pins[i], lists[i]));
    }
    for (const auto& [path, why] : attempt.left_out) {
      manifest_.parts_missing["table " + path] = why;
    }
    for (const auto& [name, content] : options_.parts ? options_.parts() : Parts()) {
      if (!content.ok()) {
        manifest_.parts_missing[name] = content.status().message();
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(manifest_.parts[name],
                            Put(BackupFolder(manifest_.id) + "parts/" + name, *content));
    }
    manifest_.finished_ms = WallClockMillis();
    const auto text = arrow::Buffer::FromString(DumpJson(ToJson(manifest_), 1) + "\n");
    ARROW_RETURN_NOT_OK(turn.Check());
    ARROW_ASSIGN_OR_RAISE(const auto outcome,
                          place_->PutIfAbsent(ManifestPath(manifest_.id), *text));
    if (outcome == lake::PutOutcome::kExists) {
      return Status::Invalid("another backup with the id ", manifest_.id, " exists in ",
                             place_->Describe(), ": try again");
    }
    return manifest_;
  }

  Status AddTable(const PinnedTable& pin, const std::vector<StoredFile>& files) {
    const auto& state = lake::StateOf(*pin.snapshot);
    BackedUpTable table;
    table.path = pin.path;
    table.id = state.metadata().id;
    table.version = state.version();
    for (const StoredFile& file : files) {
      ++table.files;
      table.bytes += file.bytes;
    }
    ARROW_ASSIGN_OR_RAISE(const std::string list, FormatFileList(files));
    ARROW_ASSIGN_OR_RAISE(table.list,
                          Put(BackupFolder(manifest_.id) + "files/" + pin.path + ".txt", list));
    const std::string log = LogTablePath(manifest_.id, pin.path);
    ARROW_RETURN_NOT_OK(lake::WriteCheckpoint(place_, log, state, WallClockMillis()));
    ARROW_ASSIGN_OR_RAISE(const auto objects, place_->List(lake::LogFolder(log)));
    for (const lake::ObjectEntry& object : objects) {
      ARROW_ASSIGN_OR_RAISE(const auto content, place_->Get(object.path));
      if (content == nullptr) return Gone(object.path, " vanished from ", place_->Describe());
      table.logs.push_back(
          {object.path, content->size(), FormatHex(Sha256(std::string_view(*content)))});
    }
    manifest_.tables.push_back(std::move(table));
    return Status::OK();
  }

  Result<StoredFile> Put(const std::string& path, const std::string& content) {
    ARROW_RETURN_NOT_OK(place_->Put(path, *arrow::Buffer::FromString(content)));
    return StoredFile{path, static_cast<int64_t>(content.size()), FormatHex(Sha256(content))};
  }

  lake::ObjectStore* const lake_;
  lake::ObjectStore* const place_;
  const CreateOptions& options_;
  Manifest manifest_;
  std::unordered_map<std::string, int64_t> present_;     // Stored path -> bytes.
  std::unordered_map<std::string, std::string> hashes_;  // Stored path -> SHA-256.
};

}  // namespace

Result<Manifest> Create(lake::ObjectStore* lake, lake::ObjectStore* place, const LakeConfig& tables,
                        const RefineConfig& refine, const CreateOptions& options) {
  Creation creation(lake, place, options);
  ARROW_ASSIGN_OR_RAISE(const auto turn, Turn::Begin(place, Job::kCreate, creation.id()));
  return creation.Run(tables, refine, *turn);
}

}  // namespace shopstream::backup
