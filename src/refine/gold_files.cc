#include "refine/gold_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/read_file.h"
#include "refine/gold_texts.h"

namespace shopstream::refine {
namespace {

namespace fs = std::filesystem;

Result<std::vector<fs::path>> SqlFiles(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".sql") files.push_back(at->path());
  }
  if (error) {
    return Status::Invalid("cannot read the Gold files in ", folder.string(), ": ", error.message(),
                           "; see refine.sql_folder");
  }
  std::ranges::sort(files);
  return files;
}

std::string StampOfFolder(const std::string& sql_folder) {
  std::string stamp;
  if (sql_folder.empty()) return stamp;
  const auto paths = SqlFiles(fs::path(sql_folder) / "gold");
  if (!paths.ok()) return paths.status().message();
  for (const fs::path& path : *paths) stamp += StampOfFile(path.string());
  return stamp;
}

}  // namespace

Result<std::vector<GoldFile>> LoadGoldFiles(const std::string& sql_folder) {
  std::vector<GoldFile> files;
  if (sql_folder.empty()) {
    for (const auto& [name, text] : GoldTexts()) {
      const std::string path = "src/refine/sql/gold/" + std::string(name) + ".sql";
      ARROW_ASSIGN_OR_RAISE(files.emplace_back(),
                            ParseGold(std::string(name), {std::string(text), path, 1}));
    }
    return files;
  }
  ARROW_ASSIGN_OR_RAISE(const auto paths, SqlFiles(fs::path(sql_folder) / "gold"));
  for (const fs::path& path : paths) {
    ARROW_ASSIGN_OR_RAISE(std::string text, ReadFile(path.string()));
    ARROW_ASSIGN_OR_RAISE(files.emplace_back(),
                          ParseGold(path.stem().string(), {std::move(text), path.string(), 1}));
  }
  return files;
}

GoldSource GoldFilesIn(const std::string& sql_folder) {
  return {.stamp = [sql_folder] { return StampOfFolder(sql_folder); },
          .read = [sql_folder] { return LoadGoldFiles(sql_folder); }};
}

}  // namespace shopstream::refine
