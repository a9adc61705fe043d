#include "simulate/refine_export.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>

#include "base/json.h"
#include "lake/delta/table.h"
#include "simulate/simulated_rules.h"

namespace shopstream::simulate {
namespace {

namespace fs = std::filesystem;

Status WriteFile(const fs::path& path, std::string_view content) {
  fs::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  return out.good() ? Status::OK() : Status::IOError("cannot write ", path.string());
}

Status ExportTable(lake::ObjectStore* store, const std::string& path, const fs::path& folder) {
  ARROW_ASSIGN_OR_RAISE(const auto table, lake::Table::Open(store, path));
  std::set<std::string> objects;
  ARROW_ASSIGN_OR_RAISE(const auto log, store->List(path + "/_delta_log/", ""));
  for (const auto& entry : log) objects.insert(entry.path);
  for (const DataFile& file : table->snapshot()->Files()) objects.insert(path + "/" + file.path);
  for (const std::string& object : objects) {
    ARROW_ASSIGN_OR_RAISE(const auto content, store->Get(object));
    if (content == nullptr) return Status::Invalid("no object ", object);
    ARROW_RETURN_NOT_OK(WriteFile(folder / object, std::string_view(*content)));
  }
  return Status::OK();
}

}  // namespace

Status ExportLake(RefineWorld* world, const RefineWatch& watch, const std::string& folder) {
  const fs::path target = fs::path(folder) / std::to_string(world->plan.seed);
  const auto look = world->Look();
  std::set<std::string> tables = {kBronzeTable, kSilverTable, kRejectsTable};
  ARROW_ASSIGN_OR_RAISE(const auto gold, look->ListFolders(kGoldFolder));
  for (const std::string& name : gold) tables.insert(kGoldFolder + ("/" + name));
  for (const std::string& table : tables) {
    ARROW_RETURN_NOT_OK(ExportTable(look.get(), table, target));
  }
  nlohmann::json books = nlohmann::json::object();
  for (int number = 0; number < kRuleTexts; ++number) {
    const auto fingerprint = FingerprintOfText(number);
    if (!fingerprint.ok()) continue;  // The broken one is never in force.
    const RuleText& text = RuleTextOf(number);
    books[*fingerprint] = {
        {"rules", text.rules}, {"rates", text.rates}, {"categories", text.categories}};
  }
  const nlohmann::json history = {{"books", std::move(books)}, {"restates", watch.restates()}};
  return WriteFile(target / "history.json", DumpJson(history));
}

}  // namespace shopstream::simulate
