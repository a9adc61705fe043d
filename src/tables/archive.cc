#include "tables/archive.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/json.h"
#include "base/sha256.h"
#include "lake/delta/table_at.h"
#include "lake/delta/table_history.h"
#include "lake/store/uuid.h"

namespace shopstream::tables {
namespace {

constexpr char kLinkProperty[] = "shopstream.archive";
constexpr char kArchiveOfProperty[] = "shopstream.archiveOf";
constexpr char kReservedRun[] = "shopstream-archive/reserved";
constexpr char kArchivedRun[] = "shopstream-archive";
constexpr int64_t kHistoryStep = 8;  // Versions; a run adds one.
constexpr std::string_view kCopied = "archived-";
constexpr size_t kCopyIdDigits = 8;

// Where the file's name begins.
size_t CopyNameAt(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? 0 : slash + 1;
}

}  // namespace

Result<std::optional<ArchiveLink>> ReadArchiveLink(const lake::Snapshot& table) {
  const std::string* text = lake::FindProperty(table, kLinkProperty);
  if (text == nullptr) return std::optional<ArchiveLink>();
  try {
    const nlohmann::json json = ParseJsonOrThrow(*text);
    return ArchiveLink{.place = json.at("place").get<std::string>(),
                       .id = json.at("id").get<std::string>(),
                       .table_id = json.value("tableId", ""),
                       .reserved = table.Txn(kReservedRun).value_or(0),
                       .released = table.Txn(kArchivedRun).value_or(0)};
  } catch (const nlohmann::json::exception& error) {
    return Status::Invalid("property ", kLinkProperty, " is damaged: ", error.what());
  }
}

std::map<std::string, std::string> ArchiveProperty(const ArchiveLink& link) {
  return {
      {kLinkProperty, DumpJson(nlohmann::json{
                          {"place", link.place}, {"id", link.id}, {"tableId", link.table_id}})}};
}

std::map<std::string, std::string> ArchiveOfProperty(const std::string& id) {
  return {{kArchiveOfProperty, id}};
}

Status CheckIsArchive(const lake::Snapshot& archive, const std::string& path,
                      const ArchiveLink& link) {
  const std::string* id = lake::FindProperty(archive, kArchiveOfProperty);
  if (id != nullptr && *id == link.id) return Status::OK();
  return Status::Invalid("the table ", path, " in ", link.place, " is not the archive of ", path,
                         ": its property ", kArchiveOfProperty, " differs. Use another place");
}

std::map<std::string, int64_t> ReservedTxn(int64_t run) { return {{kReservedRun, run}}; }
std::map<std::string, int64_t> ArchivedTxn(int64_t run) { return {{kArchivedRun, run}}; }

int64_t LastArchived(const lake::Snapshot& archive) {
  return archive.Txn(kArchivedRun).value_or(0);
}

Result<std::vector<int64_t>> UnreleasedVersions(lake::ObjectStore* place, const std::string& path,
                                                const ArchiveLink& link) {
  std::vector<int64_t> versions;
  int64_t below = std::numeric_limits<int64_t>::max();
  for (bool is_more = true; is_more;) {
    ARROW_ASSIGN_OR_RAISE(const auto records,
                          lake::ReadHistory(place, path, kHistoryStep, -1, below));
    is_more = !records.empty();
    for (const lake::VersionRecord& record : records) {
      below = record.version;
      const auto run = record.txns.find(kArchivedRun);
      if (run == record.txns.end()) continue;
      is_more = run->second > link.released;
      if (!is_more) break;
      versions.push_back(record.version);
    }
  }
  std::ranges::reverse(versions);
  return versions;
}

Result<std::shared_ptr<const lake::Snapshot>> SnapshotBefore(lake::ObjectStore* place,
                                                             const std::string& path,
                                                             const ArchiveLink& link,
                                                             int64_t version) {
  auto before = lake::SnapshotAt(place, path, version - 1);
  if (before.ok() || KindOf(before.status()) != ErrorKind::kGone) return before;
  return Gone("the archive of ", path, " in ", link.place, " begins at version ", version,
              " with rows of later runs than run ", link.released, ", the last one that ", path,
              " knows: restore both from backups with no run of `table archive` in between");
}

Result<std::shared_ptr<const lake::Snapshot>> ReadReleased(lake::ObjectStore* place,
                                                           const std::string& path,
                                                           const ArchiveLink& link) {
  if (link.released == 0) return nullptr;
  const auto archive = lake::Table::Open(place, path);
  if (archive.status().IsKeyError()) {
    return Gone("the archive of ", path, " is missing: there is no table ", path, " in ",
                link.place);
  }
  ARROW_RETURN_NOT_OK(archive.status());
  auto newest = (*archive)->snapshot();
  ARROW_RETURN_NOT_OK(CheckIsArchive(*newest, path, link));
  const int64_t last = LastArchived(*newest);
  if (last < link.released) {
    return Gone("the archive of ", path, " in ", link.place, " ends with run ", last, ", but ",
                path, " has released run ", link.released, ": restore the archive");
  }
  if (last == link.released) return newest;
  ARROW_ASSIGN_OR_RAISE(const auto ahead, UnreleasedVersions(place, path, link));
  if (ahead.empty()) return newest;
  return SnapshotBefore(place, path, link, ahead.front());
}

std::string NewCopyId() { return lake::NewUuid().substr(0, kCopyIdDigits); }

std::string CopyName(const std::string& copy_id, const std::string& path) {
  std::string copy = path;
  return copy.insert(CopyNameAt(path), std::string(kCopied) + copy_id + "-");
}

std::string NameInTable(const std::string& path) {
  const size_t at = CopyNameAt(path);
  const std::string_view name = std::string_view(path).substr(at);
  const size_t length = kCopied.size() + kCopyIdDigits + 1;
  if (!name.starts_with(kCopied) || name.size() <= length || name[length - 1] != '-') return path;
  const bool has_id = std::ranges::all_of(name.substr(kCopied.size(), kCopyIdDigits),
                                          [](char c) { return HexDigit(c) >= 0; });
  if (!has_id) return path;
  return path.substr(0, at) + std::string(name.substr(length));
}

std::string DigestOf(const std::vector<DataFile>& files) {
  std::vector<std::string> paths;
  for (const DataFile& file : files) paths.push_back(file.path);
  std::ranges::sort(paths);
  Sha256Stream hash;
  for (const std::string& path : paths) hash.Add(path + "\n");
  return FormatHex(hash.Finish());
}

}  // namespace shopstream::tables
