#include "backup/manifest.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/join.h"
#include "base/json.h"
#include "base/log.h"
#include "base/sha256.h"

namespace shopstream::backup {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr std::string_view kRestored = "restored-";
constexpr size_t kRestoreIdDigits = 8;
constexpr size_t kHashDigits = 64;

bool IsHex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return shopstream::HexDigit(c) >= 0; });
}

// Where the file's name begins.
size_t NameAt(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? 0 : slash + 1;
}

std::string WithoutRestoredName(const std::string& path) {
  const size_t at = NameAt(path);
  const std::string_view name = std::string_view(path).substr(at);
  const size_t length = kRestored.size() + kRestoreIdDigits + 1;
  if (!name.starts_with(kRestored) || name.size() <= length || name[length - 1] != '-' ||
      !IsHex(name.substr(kRestored.size(), kRestoreIdDigits))) {
    return path;
  }
  return path.substr(0, at) + std::string(name.substr(length));
}

ordered_json Json(const StoredFile& file) {
  return {{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}};
}

StoredFile FileFrom(const json& value) {
  return {value.at("path").get<std::string>(), value.at("bytes").get<int64_t>(),
          value.at("sha256").get<std::string>()};
}

ordered_json Json(const BackedUpTable& table) {
  ordered_json out{{"path", table.path},   {"id", table.id},       {"version", table.version},
                   {"files", table.files}, {"bytes", table.bytes}, {"list", Json(table.list)}};
  out["logs"] = ordered_json::array();
  for (const StoredFile& log : table.logs) out["logs"].push_back(Json(log));
  return out;
}

BackedUpTable TableFrom(const json& value) {
  BackedUpTable table{.path = value.at("path").get<std::string>(),
                      .id = value.at("id").get<std::string>(),
                      .version = value.at("version").get<int64_t>(),
                      .files = value.at("files").get<int64_t>(),
                      .bytes = value.at("bytes").get<int64_t>(),
                      .list = FileFrom(value.at("list")),
                      .logs = {}};
  for (const json& log : value.at("logs")) table.logs.push_back(FileFrom(log));
  return table;
}

Manifest ManifestFrom(const json& value) {
  Manifest manifest;
  manifest.id = value.at("id").get<std::string>();
  manifest.started_ms = value.at("started_ms").get<int64_t>();
  manifest.finished_ms = value.at("finished_ms").get<int64_t>();
  manifest.source = value.at("source").get<std::string>();
  manifest.program = value.at("program").get<std::string>();
  for (const json& table : value.at("tables")) manifest.tables.push_back(TableFrom(table));
  for (const auto& [name, part] : value.at("parts").items()) {
    manifest.parts[name] = FileFrom(part);
  }
  for (const auto& [name, why] : value.at("parts_missing").items()) {
    manifest.parts_missing[name] = why.get<std::string>();
  }
  if (value.contains("damaged")) {  // Earlier versions made no such backup.
    manifest.damaged = value.at("damaged").get<std::vector<std::string>>();
  }
  manifest.copied_files = value.at("copied_files").get<int64_t>();
  manifest.copied_bytes = value.at("copied_bytes").get<int64_t>();
  return manifest;
}

// For messages.
std::string NameIn(const lake::ObjectStore& place, const std::string& id) {
  return ManifestPath(id) + " in " + place.Describe();
}

}  // namespace

int64_t Manifest::files() const {
  int64_t total = 0;
  for (const BackedUpTable& table : tables) total += table.files;
  return total;
}

int64_t Manifest::bytes() const {
  int64_t total = 0;
  for (const BackedUpTable& table : tables) total += table.bytes;
  return total;
}

ordered_json ToJson(const Manifest& manifest) {
  ordered_json out{{"format", kFormat},
                   {"id", manifest.id},
                   {"started_ms", manifest.started_ms},
                   {"finished_ms", manifest.finished_ms},
                   {"source", manifest.source},
                   {"program", manifest.program}};
  out["tables"] = ordered_json::array();
  for (const BackedUpTable& table : manifest.tables) out["tables"].push_back(Json(table));
  out["parts"] = ordered_json::object();
  for (const auto& [name, part] : manifest.parts) out["parts"][name] = Json(part);
  out["parts_missing"] = manifest.parts_missing;
  out["damaged"] = manifest.damaged;
  out["copied_files"] = manifest.copied_files;
  out["copied_bytes"] = manifest.copied_bytes;
  return out;
}

Result<Manifest> ParseManifest(std::string_view text, const std::string& name) {
  const json value = ParseJson(text);
  try {
    if (value.is_object() && value.value("format", kFormat) > kFormat) {
      return Status::Invalid("the backup ", name,
                             " was made by a newer shopstream: use that version");
    }
    return ManifestFrom(value);
  } catch (const json::exception& e) {
    return Corrupt("the manifest ", name, " is damaged (", e.what(),
                   "): this backup cannot be used; restore another one");
  }
}

Result<std::string> FormatFileList(const std::vector<StoredFile>& files) {
  std::string text;
  for (const StoredFile& file : files) {
    if (file.path.find('\n') != std::string::npos) {
      return Status::Invalid("the path of a data file contains a line break: ",
                             Printable(file.path));
    }
    text += file.sha256 + " " + std::to_string(file.bytes) + " " + file.path + "\n";
  }
  return text;
}

Result<std::vector<StoredFile>> ParseFileList(std::string_view text, const std::string& name) {
  std::vector<StoredFile> files;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    StoredFile file;
    file.sha256 = line.substr(0, kHashDigits);
    const size_t size_at = kHashDigits + 1;
    const size_t space = line.size() > size_at ? line.find(' ', size_at) : std::string_view::npos;
    if (!IsHex(file.sha256) || space == std::string_view::npos ||
        std::from_chars(line.data() + size_at, line.data() + space, file.bytes).ptr !=
            line.data() + space) {
      return Corrupt("the list of files ", name, " is damaged at line ", files.size() + 1,
                     ": this backup cannot be used; restore another one");
    }
    file.path = line.substr(space + 1);
    files.push_back(std::move(file));
  }
  return files;
}

std::string RestoredName(const std::string& restore_id, const std::string& path) {
  std::string plain = WithoutRestoredName(path);
  return plain.insert(NameAt(plain), std::string(kRestored) + restore_id + "-");
}

std::string StoredDataPath(const std::string& table, const std::string& path) {
  return kDataFolder + table + "/" + WithoutRestoredName(path);
}

std::string BackupFolder(const std::string& id) { return kBackupsFolder + id + "/"; }
std::string ManifestPath(const std::string& id) { return BackupFolder(id) + "manifest.json"; }
std::string LogTablePath(const std::string& id, const std::string& table) {
  return BackupFolder(id) + "log/" + table;
}

Result<Backups> ReadBackups(lake::ObjectStore* place) {
  ARROW_ASSIGN_OR_RAISE(
      const auto ids, place->ListFolders(std::string(kBackupsFolder, sizeof(kBackupsFolder) - 2)));
  Backups backups;
  for (const std::string& id : ids) {
    ARROW_ASSIGN_OR_RAISE(const auto text, place->Get(ManifestPath(id)));
    if (text == nullptr) {
      // On disk, the folder of a backup that was removed stays.
      ARROW_ASSIGN_OR_RAISE(const auto objects, place->List(BackupFolder(id)));
      if (!objects.empty()) backups.unfinished.push_back(id);
      continue;
    }
    auto manifest = ParseManifest(std::string_view(*text), NameIn(*place, id));
    if (manifest.ok()) {
      backups.finished.push_back(*std::move(manifest));
      continue;
    }
    Log::Warn("{}", manifest.status().message());
    backups.unreadable.push_back({id, manifest.status()});
  }
  return backups;
}

Status NoBackup(const lake::ObjectStore& place) {
  return Gone("there is no finished backup in ", place.Describe(),
              ": correct the place, or make one with `shopstream backup create`");
}

Result<Manifest> FindBackup(lake::ObjectStore* place, const std::string& id) {
  if (!id.empty() && id.find('/') == std::string::npos) {
    ARROW_ASSIGN_OR_RAISE(const auto text, place->Get(ManifestPath(id)));
    if (text != nullptr) return ParseManifest(std::string_view(*text), NameIn(*place, id));
  }
  ARROW_ASSIGN_OR_RAISE(Backups backups, ReadBackups(place));
  if (backups.finished.empty()) return NoBackup(*place);
  std::vector<std::string> ids;
  for (const Manifest& manifest : backups.finished) ids.push_back(manifest.id);
  if (id.empty()) {
    if (backups.unreadable.empty() || backups.unreadable.back().id < ids.back()) {
      return std::move(backups.finished.back());
    }
    const Status& why = backups.unreadable.back().why;
    return why.WithMessage(why.message(),
                           ". It is the newest; name one of these instead: ", Joined(ids, ", "));
  }
  const bool unfinished = std::ranges::count(backups.unfinished, id) > 0;
  return Gone(unfinished ? "the backup " : "there is no backup ", id,
              unfinished ? " is unfinished in " : " in ", place->Describe(),
              "; finished ones: ", Joined(ids, ", "));
}

Result<std::vector<StoredFile>> ReadFileList(lake::ObjectStore* place, const BackedUpTable& table) {
  const std::string name = table.list.path + " in " + place->Describe();
  ARROW_ASSIGN_OR_RAISE(const auto text, place->Get(table.list.path));
  if (text == nullptr) {
    return Corrupt("the list of files ", name, " is missing: this backup cannot be used; ",
                   "restore another one");
  }
  if (FormatHex(Sha256(std::string_view(*text))) != table.list.sha256) {
    return Corrupt("the list of files ", name, " is damaged: its SHA-256 is not that of the ",
                   "manifest. This backup cannot be used; restore another one");
  }
  return ParseFileList(std::string_view(*text), name);
}

}  // namespace shopstream::backup
