#include "backup/restore.h"

#include <algorithm>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include "backup/pins.h"
#include "backup/restored_table.h"
#include "backup/turn.h"
#include "base/error_kind.h"
#include "base/format.h"
#include "base/join.h"
#include "base/json.h"
#include "base/runtime.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/log_reader.h"
#include "lake/store/put_proof.h"

namespace shopstream::backup {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// In the lake while a restore is unfinished. Not in a table's folder: another backup may not have
// the table.
constexpr char kMarker[] = ".shopstream-restore.json";

// What a restore decides once, so that a repetition does the same.
struct Begun {
  std::string backup;
  std::string restore_id;                   // 8 hexadecimal digits.
  std::map<std::string, int64_t> versions;  // By table.

  std::string Text() const {
    return json{{"backup", backup}, {"restore_id", restore_id}, {"versions", versions}}.dump();
  }
};

std::string NewRestoreId() {
  std::string bytes(4, '\0');
  uint64_t bits = RandomBits();
  for (char& byte : bytes) {
    byte = static_cast<char>(bits & 0xff);
    bits >>= 8;
  }
  return FormatHex(bytes);
}

class Restoration {
 public:
  Restoration(lake::ObjectStore* place, lake::ObjectStore* lake, const LakeConfig& tables,
              const RefineConfig& refine, const RestoreOptions& options, Manifest manifest)
      : place_(place),
        lake_(lake),
        tables_(tables),
        refine_(refine),
        options_(options),
        manifest_(std::move(manifest)) {}

  Result<RestoreReport> Run() {
    const auto began = BootClock::now();
    report_.backup = manifest_.id;
    ARROW_RETURN_NOT_OK(ReadBackup());
    ARROW_RETURN_NOT_OK(lake::ProvePutIfAbsent(lake_, manifest_.tables.front().path));
    ARROW_RETURN_NOT_OK(Begin());
    ARROW_RETURN_NOT_OK(CopyFiles());
    // Until here the tables of the lake are as they were: only now is the whole backup checked.
    for (const BackedUpTable& table : manifest_.tables) ARROW_RETURN_NOT_OK(MakeRoom(table.path));
    if (options_.in_place) ARROW_RETURN_NOT_OK(RemoveLaterTables());
    ARROW_RETURN_NOT_OK(PublishAll());
    ARROW_RETURN_NOT_OK(lake_->Delete(kMarker));
    report_.milliseconds = std::chrono::duration_cast<Millis>(BootClock::now() - began).count();
    return std::move(report_);
  }

 private:
  // Reads and checks all logs and lists of files, before the lake is touched.
  Status ReadBackup() {
    std::vector<CopyJob> logs;
    for (const BackedUpTable& table : manifest_.tables) {
      for (const StoredFile& log : table.logs) {
        logs.push_back({.from = log.path, .to = "", .bytes = log.bytes, .sha256 = log.sha256});
      }
    }
    CopyOptions reading;
    reading.threads = options_.threads;
    reading.stop = options_.stop;
    ARROW_RETURN_NOT_OK(Explained(CopyAll(place_, place_, logs, reading)));
    for (const BackedUpTable& table : manifest_.tables) {
      ARROW_ASSIGN_OR_RAISE(auto loaded,
                            lake::LoadState(place_, LogTablePath(manifest_.id, table.path)));
      if (loaded.state->version() != table.version) {
        return Corrupt("the log of ", table.path, " in the backup ", manifest_.id,
                       " is of version ", loaded.state->version(), ", expected ", table.version,
                       ": restore another backup");
      }
      states_[table.path] = std::move(loaded.state);
      ARROW_ASSIGN_OR_RAISE(files_[table.path], ReadFileList(place_, table));
    }
    return Status::OK();
  }

  // Adds what damage of the backup means to the error.
  Status Explained(const Status& copied) const {
    if (copied.ok() || copied.IsCancelled()) return copied;
    const ErrorKind kind = KindOf(copied);
    if (kind != ErrorKind::kCorrupt && kind != ErrorKind::kGone) return copied;
    return WithKind(ErrorKind::kCorrupt,
                    copied.WithMessage(copied.message(), ". The backup ", manifest_.id,
                                       " is damaged, and no table was changed: `shopstream backup "
                                       "verify` lists all damage; restore another backup"));
  }

  // Continues a restore that was killed, or decides on a new one.
  Status Begin() {
    ARROW_ASSIGN_OR_RAISE(const auto text, lake_->Get(kMarker));
    if (text != nullptr) {
      ARROW_RETURN_NOT_OK(ReadMarker(ParseJson(std::string_view(*text))));
      ARROW_ASSIGN_OR_RAISE(const bool had_finished, HadFinished());
      if (!had_finished) return Continue();
      ARROW_RETURN_NOT_OK(lake_->Delete(kMarker));
      begun_ = {};
    }
    ARROW_ASSIGN_OR_RAISE(const auto existing, FindTablesWithLogs(lake_));
    if (!existing.empty() && !options_.in_place) {
      return Status::Invalid("the lake ", lake_->Describe(),
                             " has tables already: ", Joined(existing, ", "),
                             ". Restore into an empty place (another ",
                             "lake.uri); or stop every program that writes to this lake and add ",
                             "--in-place, which replaces these tables");
    }
    begun_.backup = manifest_.id;
    begun_.restore_id = NewRestoreId();
    for (const BackedUpTable& table : manifest_.tables) {
      ARROW_ASSIGN_OR_RAISE(const LogContent log, LookAtLog(lake_, table.path, -1));
      begun_.versions[table.path] =
          VersionAbove(std::max(log.newest, table.version), WallClockMillis());
    }
    return lake_->Put(kMarker, *arrow::Buffer::FromString(begun_.Text()));
  }

  Status ReadMarker(const json& marker) {
    try {
      begun_.backup = marker.at("backup").get<std::string>();
      begun_.restore_id = marker.at("restore_id").get<std::string>();
      begun_.versions = marker.at("versions").get<std::map<std::string, int64_t>>();
    } catch (const json::exception& e) {
      return Corrupt(kMarker, " in ", lake_->Describe(), " is damaged (", e.what(),
                     "): delete it, then restore with --in-place");
    }
    return Status::OK();
  }

  // Whether the restore that left the marker was killed after its last table became visible: the
  // lake then belongs to its writers, and this is another restore.
  Result<bool> HadFinished() {
    bool is_written_to = false;
    for (const auto& [table, version] : begun_.versions) {
      ARROW_ASSIGN_OR_RAISE(const LogContent log, LookAtLog(lake_, table, version));
      if (log.newest < version) return false;
      is_written_to |= log.newest > version;
    }
    return is_written_to || begun_.backup != manifest_.id;
  }

  Status Continue() const {
    if (begun_.backup == manifest_.id) return Status::OK();
    return Status::Invalid("a restore of the backup ", begun_.backup, " into ", lake_->Describe(),
                           " is unfinished: finish it with `shopstream backup restore PLACE ",
                           begun_.backup, "`, or delete ", kMarker,
                           " and restore another one with --in-place");
  }

  // Before a table is restored, its folder has no log but what this restore has begun.
  Status MakeRoom(const std::string& table) {
    const int64_t version = begun_.versions.at(table);
    ARROW_ASSIGN_OR_RAISE(LogContent log, LookAtLog(lake_, table, version));
    if (log.has_expected || log.objects == 0) return Status::OK();
    // A killed write may have left an object that is part of no log.
    if (!options_.in_place) return log.has_foreign ? SomeoneWrites(table) : Status::OK();
    ARROW_RETURN_NOT_OK(DeleteLog(lake_, table));
    ARROW_ASSIGN_OR_RAISE(log, LookAtLog(lake_, table, version));
    return log.has_foreign ? SomeoneWrites(table) : Status::OK();
  }

  Status SomeoneWrites(const std::string& table) const {
    return Refused("another program has written to the log of ", table, " in ", lake_->Describe(),
                   " during the restore: stop every program that writes to this lake (ingest, ",
                   "refine, maintenance), then run the same command with --in-place");
  }

  // A table of the pipeline that was made after the backup would be ahead of the restored ones.
  Status RemoveLaterTables() {
    ARROW_ASSIGN_OR_RAISE(const auto existing, FindTablesWithLogs(lake_));
    for (const std::string& path : existing) {
      if (begun_.versions.contains(path)) continue;
      const bool is_refined = path.starts_with(refine_.gold_folder + "/") ||
                              path == refine_.silver_table || path == refine_.rejects_table;
      const bool is_ingested = path == tables_.bronze_table || path == tables_.quarantine_table ||
                               path.starts_with(tables_.bronze_table + "-");
      if (!is_refined && !is_ingested) continue;
      ARROW_RETURN_NOT_OK(DeleteLog(lake_, path));
      report_.removed.push_back(path);
    }
    return Status::OK();
  }

  Status CopyFiles() {
    std::vector<CopyJob> jobs;
    for (const BackedUpTable& table : manifest_.tables) {
      ARROW_ASSIGN_OR_RAISE(const auto objects, lake_->List(table.path + "/"));
      std::unordered_map<std::string, int64_t> present;
      for (const lake::ObjectEntry& object : objects) present[object.path] = object.size_bytes;
      for (const StoredFile& file : files_.at(table.path)) {
        const std::string to = table.path + "/" + RestoredName(begun_.restore_id, file.path);
        const auto there = present.find(to);
        // Nobody else uses this name, and a copy is whole or absent.
        if (there != present.end() && there->second == file.bytes) continue;
        jobs.push_back({.from = StoredDataPath(table.path, file.path),
                        .to = to,
                        .bytes = file.bytes,
                        .sha256 = file.sha256});
      }
    }
    CopyOptions copying;
    copying.threads = options_.threads;
    copying.stop = options_.stop;
    copying.on_progress = options_.on_progress;
    copying.on_done = [&](size_t job, const std::string&) {
      ++report_.files;
      report_.bytes += jobs[job].bytes;
    };
    return Explained(CopyAll(place_, lake_, jobs, copying));
  }

  // Upstream tables first: a program that starts too early finds its input.
  Status PublishAll() {
    for (auto table = manifest_.tables.rbegin(); table != manifest_.tables.rend(); ++table) {
      ARROW_RETURN_NOT_OK(Publish(*table));
    }
    return Status::OK();
  }

  Status Publish(const BackedUpTable& table) {
    const int64_t version = begun_.versions.at(table.path);
    ARROW_ASSIGN_OR_RAISE(const auto state,
                          RestoredState(*states_.at(table.path), version, begun_.restore_id));
    ARROW_ASSIGN_OR_RAISE(const LogContent log, LookAtLog(lake_, table.path, version));
    if (log.has_foreign && !log.has_expected) return SomeoneWrites(table.path);
    ARROW_RETURN_NOT_OK(PublishLog(lake_, table.path, state, begun_.restore_id, manifest_.id));
    report_.tables.push_back({.path = table.path,
                              .version = version,
                              .backed_up_version = table.version,
                              .files = table.files});
    return Status::OK();
  }

  lake::ObjectStore* const place_;
  lake::ObjectStore* const lake_;
  const LakeConfig& tables_;
  const RefineConfig& refine_;
  const RestoreOptions& options_;
  const Manifest manifest_;
  // What the backup has, by table.
  std::map<std::string, std::shared_ptr<const lake::TableState>> states_;
  std::map<std::string, std::vector<StoredFile>> files_;
  Begun begun_;
  RestoreReport report_;
};

}  // namespace

ordered_json ToJson(const RestoreReport& report) {
  ordered_json out{{"backup", report.backup},
                   {"files", report.files},
                   {"bytes", report.bytes},
                   {"milliseconds", report.milliseconds},
                   {"removed", report.removed}};
  out["tables"] = ordered_json::array();
  for (const RestoredTable& table : report.tables) {
    out["tables"].push_back({{"table", table.path},
                             {"version", table.version},
                             {"backed_up_version", table.backed_up_version},
                             {"files", table.files}});
  }
  return out;
}

Result<RestoreReport> Restore(lake::ObjectStore* place, lake::ObjectStore* lake,
                              const LakeConfig& tables, const RefineConfig& refine,
                              const RestoreOptions& options) {
  ARROW_ASSIGN_OR_RAISE(Manifest manifest, FindBackup(place, options.backup));
  if (manifest.tables.empty()) {
    return Status::Invalid("the backup ", manifest.id, " has no table");
  }
  ARROW_ASSIGN_OR_RAISE(const auto turn, Turn::Begin(place, Job::kRestore, NewRestoreId()));
  return Restoration(place, lake, tables, refine, options, std::move(manifest)).Run();
}

}  // namespace shopstream::backup
