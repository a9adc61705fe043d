#include "backup/verify.h"

#include <map>
#include <unordered_map>
#include <utility>

#include "backup/manifest.h"
#include "base/error_kind.h"
#include "base/format.h"
#include "base/json.h"
#include "lake/delta/log_reader.h"

namespace shopstream::backup {
namespace {

using nlohmann::ordered_json;

class Verification {
 public:
  Verification(lake::ObjectStore* place, const VerifyOptions& options)
      : place_(place), options_(options) {}

  Result<VerifyReport> Run() {
    ARROW_RETURN_NOT_OK(Choose());
    for (const Manifest& manifest : chosen_) ARROW_RETURN_NOT_OK(Collect(manifest));
    ARROW_RETURN_NOT_OK(CheckSizes());
    if (!options_.sizes_only) ARROW_RETURN_NOT_OK(CheckHashes());
    return std::move(report_);
  }

 private:
  Status Choose() {
    if (!options_.backup.empty()) {
      ARROW_ASSIGN_OR_RAISE(Manifest one, FindBackup(place_, options_.backup));
      chosen_.push_back(std::move(one));
    } else {
      ARROW_ASSIGN_OR_RAISE(Backups backups, ReadBackups(place_));
      if (backups.finished.empty() && backups.unreadable.empty()) return NoBackup(*place_);
      for (const UnreadableBackup& backup : backups.unreadable) {
        report_.backups.push_back(backup.id);
        report_.damages.push_back({ManifestPath(backup.id), backup.id, backup.why.message()});
      }
      chosen_ = std::move(backups.finished);
      report_.unfinished = std::move(backups.unfinished);
    }
    for (const Manifest& manifest : chosen_) report_.backups.push_back(manifest.id);
    return Status::OK();
  }

  void Need(const std::string& backup, StoredFile file) {
    const auto [at, is_new] = needed_.try_emplace(file.path, jobs_.size());
    if (!is_new) return;
    jobs_.push_back(
        {.from = std::move(file.path), .to = "", .bytes = file.bytes, .sha256 = file.sha256});
    backup_of_.push_back(backup);
  }

  void Note(const std::string& object, const std::string& backup, std::string what) {
    // A create copies only data files again.
    if (!object.starts_with(kDataFolder)) what += "; this backup cannot be repaired";
    report_.damages.push_back({object, backup, std::move(what)});
  }

  Status Collect(const Manifest& manifest) {
    for (const auto& [name, part] : manifest.parts) Need(manifest.id, part);
    for (const BackedUpTable& table : manifest.tables) {
      for (const StoredFile& log : table.logs) Need(manifest.id, log);
      const auto files = ReadFileList(place_, table);
      if (!files.ok()) {
        if (KindOf(files.status()) != ErrorKind::kCorrupt) return files.status();
        Note(table.list.path, manifest.id, files.status().message());
        continue;
      }
      std::unordered_map<std::string, int64_t> listed;
      for (const StoredFile& file : *files) {
        listed[file.path] = file.bytes;
        Need(manifest.id, {StoredDataPath(table.path, file.path), file.bytes, file.sha256});
      }
      ARROW_RETURN_NOT_OK(CheckLog(manifest, table, listed));
    }
    return Status::OK();
  }

  // Whether the list has each file that the log names.
  Status CheckLog(const Manifest& manifest, const BackedUpTable& table,
                  const std::unordered_map<std::string, int64_t>& listed) {
    const std::string log = LogTablePath(manifest.id, table.path);
    const auto loaded = lake::LoadState(place_, log);
    if (!loaded.ok()) {
      if (IsUnavailable(loaded.status()) || KindOf(loaded.status()) == ErrorKind::kRefused) {
        return loaded.status();
      }
      Note(lake::LogFolder(log), manifest.id, loaded.status().message());
      return Status::OK();
    }
    if (loaded->state->version() != table.version) {
      Note(lake::LogFolder(log), manifest.id,
           "is of version " + std::to_string(loaded->state->version()) + ", expected " +
               std::to_string(table.version));
    }
    loaded->state->VisitFiles([&](const DataFile& file) {
      const auto at = listed.find(file.path);
      if (at != listed.end() && at->second == file.size_bytes) return;
      Note(StoredDataPath(table.path, file.path), manifest.id,
           "is named by the log, but is not in the list of files");
    });
    return Status::OK();
  }

  // A listing is cheap: missing files are found without a request for each.
  Status CheckSizes() {
    std::map<std::string, int64_t> sizes;
    for (const char* folder : {kDataFolder, kBackupsFolder}) {
      ARROW_ASSIGN_OR_RAISE(const auto objects, place_->List(folder));
      for (const lake::ObjectEntry& object : objects) sizes[object.path] = object.size_bytes;
    }
    std::vector<CopyJob> left;
    std::vector<std::string> left_backups;
    for (size_t i = 0; i < jobs_.size(); ++i) {
      ++report_.files;
      report_.bytes += jobs_[i].bytes;
      const auto at = sizes.find(jobs_[i].from);
      if (at == sizes.end()) {
        Note(jobs_[i].from, backup_of_[i], "missing");
      } else if (at->second != jobs_[i].bytes) {
        Note(jobs_[i].from, backup_of_[i],
             "has " + FormatCount(at->second) + " bytes, expected " + FormatCount(jobs_[i].bytes));
      } else {
        left.push_back(std::move(jobs_[i]));
        left_backups.push_back(std::move(backup_of_[i]));
      }
    }
    jobs_ = std::move(left);
    backup_of_ = std::move(left_backups);
    return Status::OK();
  }

  Status CheckHashes() {
    CopyOptions reading;
    reading.threads = options_.threads;
    reading.stop = options_.stop;
    reading.on_progress = options_.on_progress;
    reading.on_failed = [this](size_t job, const Status& failure) {
      const ErrorKind kind = KindOf(failure);
      if (kind != ErrorKind::kCorrupt && kind != ErrorKind::kGone) return failure;
      Note(jobs_[job].from, backup_of_[job], failure.message());
      return Status::OK();
    };
    return CopyAll(place_, place_, jobs_, reading);
  }

  lake::ObjectStore* const place_;
  const VerifyOptions& options_;
  VerifyReport report_;
  std::vector<Manifest> chosen_;
  std::vector<CopyJob> jobs_;
  std::vector<std::string> backup_of_;              // For each job.
  std::unordered_map<std::string, size_t> needed_;  // Object -> its job.
};

}  // namespace

ordered_json ToJson(const VerifyReport& report) {
  ordered_json out{{"backups", report.backups},
                   {"unfinished", report.unfinished},
                   {"files", report.files},
                   {"bytes", report.bytes}};
  out["damages"] = ordered_json::array();
  for (const Damage& damage : report.damages) {
    out["damages"].push_back(
        {{"object", damage.object}, {"backup", damage.backup}, {"what", damage.what}});
  }
  return out;
}

Result<VerifyReport> Verify(lake::ObjectStore* place, const VerifyOptions& options) {
  return Verification(place, options).Run();
}

}  // namespace shopstream::backup
