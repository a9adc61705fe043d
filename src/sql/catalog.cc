#include "sql/catalog.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/format.h"
#include "base/join.h"
#include "base/json_or_null.h"
#include "base/log.h"
#include "base/nearest_name.h"
#include "lake/delta/existing_table.h"
#include "lake/delta/table_at.h"
#include "lake/delta/table_history.h"
#include "sql/sql_words.h"
#include "tables/archive.h"
#include "tables/refine_state.h"

namespace shopstream::sql {
namespace {

constexpr char kSilver[] = "silver_events", kRejects[] = "silver_rejects";

// Whether a statement with this word may list all tables or columns.
bool ListsTables(const std::string& word) {
  return word == "SHOW" || word == "DESCRIBE" || word == "INFORMATION_SCHEMA" ||
         word.starts_with("DUCKDB_") || word.starts_with("PG_") || word.starts_with("SQLITE_");
}

// Whether the word, in capitals unless it is in quotes, is the name, in lower case.
bool IsName(const std::string& word, const std::string& name) {
  return ToLower(word.starts_with('"') ? word.substr(1, word.size() - 2) : word) == name;
}

bool IsGold(std::string_view path, const RefineConfig& refine) {
  return path.starts_with(refine.gold_folder + "/");
}

std::string SqlNameOf(std::string_view path, const RefineConfig& refine) {
  std::string name;
  if (IsGold(path, refine)) {
    name = "gold_";
    path.remove_prefix(refine.gold_folder.size() + 1);
  }
  for (const char c : path) name += c == '-' || c == '/' ? '_' : c;
  return name;
}

std::vector<std::string> KeysOf(const std::map<std::string, std::string>& names) {
  std::vector<std::string> keys;
  for (const auto& [name, path] : names) keys.push_back(name);
  return keys;
}

nlohmann::ordered_json ArchiveJson(const Catalog::OpenTable& table) {
  if (!table.archive) return {};
  return {{"place", table.archive->first}, {"version", table.archive->second}};
}

// The name in "Table with name x does not exist!".
std::optional<std::string> MissingTable(const std::string& message) {
  constexpr std::string_view kBefore = "Table with name ", kAfter = " does not exist!";
  const size_t before = message.find(kBefore);
  if (before == std::string::npos) return std::nullopt;
  const size_t begin = before + kBefore.size();
  const size_t end = message.find(kAfter, begin);
  if (end == std::string::npos) return std::nullopt;
  return message.substr(begin, end - begin);
}

}  // namespace

std::map<std::string, std::string> SqlNames(const std::vector<std::string>& paths,
                                            const Config& config) {
  std::map<std::string, std::string> names;
  std::map<std::string, std::string> taken;  // DuckDB ignores case.
  const auto add = [&](const std::string& name, const std::string& path) {
    const auto [found, is_new] = taken.emplace(ToLower(name), path);
    if (is_new) names.emplace(name, path);
    return found->second == path;
  };
  for (const std::string& path : paths) {
    if (path == config.lake.bronze_table) add("bronze_events", path);
    if (path == config.lake.quarantine_table) add("bronze_quarantine", path);
    if (path == config.refine.silver_table) add(kSilver, path);
    if (path == config.refine.rejects_table) add(kRejects, path);
  }
  for (const std::string& path : paths) {
    if (add(SqlNameOf(path, config.refine), path)) continue;
    std::string name = path;
    for (int i = 2; !add(name, path); ++i) name = path + "_" + std::to_string(i);
  }
  return names;
}

Result<std::unique_ptr<Catalog>> Catalog::Open(lake::ObjectStore* store, const Config& config,
                                               ReadVersions versions) {
  ARROW_ASSIGN_OR_RAISE(const auto paths, lake::FindTables(store));
  auto names = SqlNames(paths, config);
  std::map<std::string, int64_t> asked;
  for (const auto& [given, version] : versions.tables) {
    const auto found = std::ranges::find_if(
        names, [&](const auto& known) { return ToLower(known.first) == ToLower(given); });
    if (found == names.end()) {
      return Status::KeyError("--version: there is no table ", given,
                              DidYouMean(given, KeysOf(names)));
    }
    asked[found->first] = version;
  }
  versions.tables = std::move(asked);
  return std::unique_ptr<Catalog>(
      new Catalog(store, config, std::move(names), std::move(versions)));
}

bool Catalog::IsRefined(const std::string& path) const {
  return path == refine_.silver_table || path == refine_.rejects_table || IsGold(path, refine_);
}

Result<Catalog::OpenTable> Catalog::Read(const std::string& name, const std::string& path) {
  const auto given = versions_.tables.find(name);
  std::shared_ptr<const lake::Snapshot> snapshot;
  if (given != versions_.tables.end()) {
    ARROW_ASSIGN_OR_RAISE(snapshot, lake::SnapshotAt(store_, path, given->second));
  } else if (IsRefined(path)) {
    if (!complete_) ARROW_RETURN_NOT_OK(FindCompletePass());
    const auto found = complete_->tables.find(path);
    if (found != complete_->tables.end()) snapshot = found->second;
  }
  if (snapshot == nullptr) {
    ARROW_ASSIGN_OR_RAISE(snapshot, ReadNewest(path));
  }
  OpenTable opened;
  opened.path = path;
  opened.version = snapshot->version();
  if (IsRefined(path)) opened.pass = tables::RefinePass(*snapshot);
  opened.rows = std::make_unique<LakeRows>(store_, path, snapshot);
  if (versions_.with_archives) ARROW_RETURN_NOT_OK(AddArchive(*snapshot, &opened));
  const auto masked = masked_ ? masked_(path, *snapshot->schema()) : std::vector<int>();
  if (!masked.empty()) opened.masked = std::make_unique<MaskedRows>(opened.rows.get(), masked);
  return opened;
}

Status Catalog::AddArchive(const lake::Snapshot& snapshot, OpenTable* table) {
  ARROW_ASSIGN_OR_RAISE(const auto link, tables::ReadArchiveLink(snapshot));
  if (!link || link->released == 0) return Status::OK();
  const auto explained = [&](const Status& status) {
    const std::string& message = status.message();
    if (message.starts_with("the archive of ")) return status;
    const bool names_place = message.find(link->place) != std::string::npos;
    return status.WithMessage("the archive of ", table->path,
                              names_place ? "" : " in " + link->place, ": ", message);
  };
  std::unique_ptr<lake::ObjectStore>& place = places_[link->place];
  if (place == nullptr) {
    Config config = config_;
    config.lake.uri = link->place;
    auto opened = lake::OpenObjectStore(config);
    if (!opened.ok()) return explained(opened.status());
    place = *std::move(opened);
  }
  const auto archive = tables::ReadReleased(place.get(), table->path, *link);
  if (!archive.ok()) return explained(archive.status());
  if (*archive == nullptr) return Status::OK();
  table->rows->Add(place.get(), table->path, *archive);
  table->archive.emplace(link->place, (*archive)->version());
  return Status::OK();
}

// Without rejects or Silver there is no pass.
Status Catalog::FindCompletePass() {
  tables::RefinedPaths paths;
  for (const auto& [name, path] : names_) {
    if (path == refine_.silver_table) paths.silver = path;
    if (path == refine_.rejects_table) paths.rejects = path;
    const bool counted = std::ranges::find(paths.gold, path) != paths.gold.end();
    if (IsGold(path, refine_) && !counted) paths.gold.push_back(path);
  }
  if (paths.silver.empty() || paths.rejects.empty()) {
    complete_.emplace();
    return Status::OK();
  }
  const auto newest = [this](const std::string& path) { return ReadNewest(path); };
  ARROW_ASSIGN_OR_RAISE(complete_, tables::ReadCompletePass(store_, paths, newest));
  return Status::OK();
}

Result<std::shared_ptr<const lake::Snapshot>> Catalog::ReadNewest(const std::string& path) const {
  if (versions_.as_of_ms) {
    ARROW_ASSIGN_OR_RAISE(const int64_t version,
                          lake::VersionAt(store_, path, *versions_.as_of_ms));
    return lake::SnapshotAt(store_, path, version);
  }
  ARROW_ASSIGN_OR_RAISE(const auto table, lake::OpenExisting(store_, path));
  return table->snapshot();
}

Status Catalog::Register(const std::string& sql, Session* session) {
  const std::vector<std::string> words = SqlWords(sql);
  const bool all = std::ranges::any_of(words, ListsTables);
  for (const auto& [name, path] : names_) {
    const bool is_named = std::ranges::any_of(
        words, [key = ToLower(name)](const std::string& word) { return IsName(word, key); });
    if (open_.contains(name) || (!all && !is_named)) continue;
    auto opened = Read(name, path);
    if (!opened.ok() && !is_named) {
      Log::Warn("Table {} is left out: {}", name, opened.status().message());
      continue;
    }
    ARROW_RETURN_NOT_OK(opened.status());
    const auto& added = open_.emplace(name, *std::move(opened)).first->second;
    RowSource* const seen =
        added.masked != nullptr ? static_cast<RowSource*>(added.masked.get()) : added.rows.get();
    const Status registered = session->Register(name, seen);
    if (!registered.ok()) {
      return registered.WithMessage("table ", path, ": ", registered.message());
    }
  }
  return Status::OK();
}

Status Catalog::NarrowTo(const std::string& statement, Session* session) {
  std::map<std::string, std::shared_ptr<arrow::Schema>> schemas;
  // A condition on a masked column must not choose files: their number would reveal values.
  for (const auto& [name, table] : open_) {
    schemas.emplace(name,
                    table.masked != nullptr ? table.masked->unmasked() : table.rows->schema());
  }
  if (schemas.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const std::string parsed,
                        session->Parse(std::string(WithoutExplain(statement))));
  const auto conditions = FindReadConditions(parsed, schemas);
  for (const auto& [name, table] : open_) {
    lake::FilePredicate condition;
    if (conditions.size() == 1) {
      const auto known = conditions[0].find(ToLower(name));
      if (known != conditions[0].end()) condition = known->second;
    }
    table.rows->Narrow(std::move(condition));
  }
  return Status::OK();
}

Status Catalog::Explained(const Status& error) const {
  const auto missing = MissingTable(error.message());
  if (!missing) return error;
  const std::vector<std::string> names = KeysOf(names_);
  if (names.empty()) {
    return error.WithMessage("there is no table ", *missing, ": ", store_->Describe(),
                             " has no tables; correct lake.uri, or create them with "
                             "`shopstream ingest`");
  }
  const std::string refined = ToLower(*missing);
  if (refined == kSilver || refined == kRejects || refined.starts_with("gold_")) {
    const bool ran = std::ranges::find(names, kSilver) != names.end();
    if (!ran) {
      return error.WithMessage("there is no table ", *missing,
                               " yet: fill it with `shopstream refine`");
    }
  }
  const std::string near = DidYouMean(*missing, names);
  const std::string place = error.message().substr(0, error.message().find("Catalog Error"));
  return error.WithMessage(place, "there is no table ", *missing,
                           near.empty() ? "; the lake has " + Joined(names, ", ") : near);
}

nlohmann::ordered_json OpenTablesJson(const Catalog& catalog) {
  nlohmann::ordered_json tables = nlohmann::ordered_json::array();
  for (const auto& [name, table] : catalog.open()) {
    const ReadStats stats = table.rows->stats();
    tables.push_back({{"name", name},
                      {"table", table.path},
                      {"version", table.version},
                      {"pass", OrNull(table.pass)},
                      {"archive", ArchiveJson(table)},
                      {"files", stats.files},
                      {"files_read", stats.files_read},
                      {"bytes_read", stats.bytes_read}});
  }
  return tables;
}

}  // namespace shopstream::sql
