#include "backup/prune.h"

#include <algorithm>
#include <unordered_set>

#include "backup/turn.h"
#include "base/clock.h"
#include "base/json.h"

namespace shopstream::backup {
namespace {

using nlohmann::ordered_json;

bool Contains(const std::vector<std::string>& ids, const std::string& id) {
  return std::ranges::find(ids, id) != ids.end();
}

// The data files that these backups need.
Result<std::unordered_set<std::string>> Needed(lake::ObjectStore* place,
                                               const std::vector<Manifest>& finished,
                                               const std::vector<std::string>& removed) {
  std::unordered_set<std::string> needed;
  for (const Manifest& manifest : finished) {
    if (Contains(removed, manifest.id)) continue;
    for (const BackedUpTable& table : manifest.tables) {
      ARROW_ASSIGN_OR_RAISE(const auto files, ReadFileList(place, table));
      for (const StoredFile& file : files) needed.insert(StoredDataPath(table.path, file.path));
    }
  }
  return needed;
}

// The objects of a backup, its manifest first.
Result<std::vector<std::string>> ObjectsOf(lake::ObjectStore* place, const std::string& id) {
  ARROW_ASSIGN_OR_RAISE(const auto objects, place->List(BackupFolder(id)));
  std::vector<std::string> paths = {ManifestPath(id)};
  for (const lake::ObjectEntry& object : objects) {
    if (object.path != paths.front()) paths.push_back(object.path);
  }
  return paths;
}

}  // namespace

std::vector<std::string> ChooseToPrune(const std::vector<Manifest>& finished,
                                       const PruneRule& rule) {
  std::vector<std::string> ids;
  const auto count = static_cast<int64_t>(finished.size());
  for (int64_t i = 0; i + 1 < count; ++i) {
    const Manifest& manifest = finished[static_cast<size_t>(i)];
    if (rule.keep && i >= count - *rule.keep) continue;
    if (rule.before_ms && manifest.finished_ms >= *rule.before_ms) continue;
    ids.push_back(manifest.id);
  }
  return ids;
}

ordered_json ToJson(const PruneReport& report) {
  return {{"dry_run", report.dry_run},       {"removed", report.removed},
          {"unfinished", report.unfinished}, {"kept", report.kept},
          {"files", report.files},           {"bytes", report.bytes}};
}

Result<PruneReport> Prune(lake::ObjectStore* place, const PruneOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto turn,
                        Turn::Begin(place, Job::kPrune, std::to_string(WallClockMillis())));
  ARROW_ASSIGN_OR_RAISE(Backups backups, ReadBackups(place));
  if (!backups.unreadable.empty()) {
    const auto& [id, why] = backups.unreadable.front();
    return why.WithMessage(why.message(), ". What it needs is unknown, so nothing was removed. If ",
                           "it is not needed, delete ", BackupFolder(id), ", then prune again");
  }
  // Without one, this may be a wrong place, whose data/ belongs to something else.
  if (backups.finished.empty()) return NoBackup(*place);
  PruneReport report;
  report.dry_run = options.dry_run;
  report.removed = ChooseToPrune(backups.finished, options.rule);
  report.unfinished = backups.unfinished;
  for (const Manifest& manifest : backups.finished) {
    if (!Contains(report.removed, manifest.id)) report.kept.push_back(manifest.id);
  }
  ARROW_ASSIGN_OR_RAISE(const auto needed, Needed(place, backups.finished, report.removed));

  std::vector<std::string> paths;
  for (const auto* ids : {&report.removed, &report.unfinished}) {
    for (const std::string& id : *ids) {
      ARROW_ASSIGN_OR_RAISE(const auto objects, ObjectsOf(place, id));
      paths.insert(paths.end(), objects.begin(), objects.end());
    }
  }
  ARROW_ASSIGN_OR_RAISE(const auto data, place->List(kDataFolder));
  for (const lake::ObjectEntry& object : data) {
    if (needed.contains(object.path)) continue;
    ++report.files;
    report.bytes += object.size_bytes;
    paths.push_back(object.path);
  }
  if (options.dry_run) return report;
  int64_t done = 0;
  for (const std::string& path : paths) {
    if (options.stop && options.stop()) return Status::Cancelled("stopped; run it again");
    ARROW_RETURN_NOT_OK(turn->Check());
    ARROW_RETURN_NOT_OK(place->Delete(path));
    if (options.on_progress) options.on_progress(++done, static_cast<int64_t>(paths.size()));
  }
  return report;
}

}  // namespace shopstream::backup
