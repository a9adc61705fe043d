#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/join.h"
#include "base/nearest_name.h"
#include "cli/refine_commands.h"
#include "lake/delta/existing_table.h"
#include "lake/store/object_store.h"
#include "refine/batch_script.h"
#include "refine/gold_files.h"

namespace shopstream::cli {
namespace {

struct RefineSqlFlags {
  std::string table;
  refine::Dialect dialect = refine::Dialect::kDuckDb;
};

Result<refine::Dialect> ParseDialect(const std::string& text) {
  if (text == "duckdb") return refine::Dialect::kDuckDb;
  if (text == "spark") return refine::Dialect::kSpark;
  return Status::Invalid("'", text, "' is not an engine: duckdb or spark");
}

// Those of the table, or of ordinary purchases if there is none yet.
Result<refine::RefineColumns> BronzeOf(const Config& config) {
  ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(config));
  const std::string& path = config.lake.bronze_table;
  const auto table = lake::OpenExisting(store.get(), path);
  if (table.ok()) return refine::RefineColumns::Of(path, *(*table)->snapshot());
  if (!table.status().IsKeyError()) return table.status();
  return refine::RefineColumns::From(refine::PurchaseBronzeSchema());
}

Result<int> RunRefineSql(const Context& context, const RefineSqlFlags& flags) {
  ARROW_ASSIGN_OR_RAISE(const auto book,
                        refine::ReadRuleBook(refine::RuleFiles::Of(context.config.refine)));
  ARROW_ASSIGN_OR_RAISE(const auto columns, BronzeOf(context.config));
  const refine::JudgeText text = {.silver = book->silver,
                                  .rules = &book->rules,
                                  .late_after_seconds = book->late_after_seconds,
                                  .columns = refine::BronzeColumns(columns)};
  ARROW_ASSIGN_OR_RAISE(const auto gold, refine::LoadGoldFiles(context.config.refine.sql_folder));
  const auto tables = refine::BatchTables(text, gold, flags.dialect);
  if (flags.table.empty()) {
    std::cout << refine::BatchScript(*book, tables, flags.dialect);
    return kDone;
  }
  std::vector<std::string> names;
  for (const refine::BatchTable& table : tables) {
    names.push_back(table.name);
    if (table.name != flags.table) continue;
    std::cout << table.select << (table.select.ends_with('\n') ? "" : "\n");
    return kDone;
  }
  return Status::Invalid("refine computes no table ", flags.table, DidYouMean(flags.table, names),
                         " (it computes ", Joined(names, ", "), ")");
}

}  // namespace

Command RefineSqlCommand() {
  auto flags = std::make_shared<RefineSqlFlags>();
  return {.name = "sql",
          .meaning = "Print the SQL that computes the tables from Bronze, rules included",
          .options = {{.name = "TABLE",
                       .target = &flags->table,
                       .meaning = "Only its SELECT, e.g. silver_events; otherwise a script of all"},
                      {.name = "--engine",
                       .target = Storing(ParseDialect, &flags->dialect),
                       .meaning = "duckdb or spark",
                       .value = "ENGINE [duckdb]"}},
          .run = Running(flags, RunRefineSql)};
}

}  // namespace shopstream::cli
