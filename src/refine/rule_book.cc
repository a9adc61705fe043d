#include "refine/rule_book.h"

#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "base/format.h"
#include "base/read_file.h"
#include "refine/volatile_sql.h"
#include "sql/sql_words.h"

namespace shopstream {
extern const std::string_view kSilverSql;
}  // namespace shopstream

namespace shopstream::refine {
namespace {

constexpr char kBuiltInSilver[] = "src/refine/sql/silver.sql";

Result<std::string> ReadRuleFile(const std::string& path, const char* setting) {
  auto text = ReadFile(path);
  if (!text.ok()) return Status::IOError("cannot read ", path, ": set ", setting);
  return text;
}

// Some offsets of a pass have no row, so that a pass of twice as many surely has enough.
Status CheckStopAbove(const Rules& rules, int64_t pass_rows) {
  if (!rules.stop_above || rules.stop_above->rows <= pass_rows / 2) return Status::OK();
  return Status::Invalid(rules.file, ": stop_above counts passes of at least ",
                         FormatCount(rules.stop_above->rows), " rows, but a pass has at most ",
                         FormatCount(pass_rows),
                         ", so that it may never halt: set refine.pass_rows to at least ",
                         FormatCount(2 * rules.stop_above->rows),
                         ", or rows of stop_above to at most ", FormatCount(pass_rows / 2));
}

// The one statement of the file.
Result<sql::SqlText> OneStatement(sql::SqlText text) {
  if (const std::string name = VolatileFunctionIn(text.text); !name.empty()) {
    return Status::Invalid(text.file, " calls ", name,
                           ", which gives another value each time, so a ",
                           "repeated pass would decide otherwise: use kafka_timestamp or "
                           "ingested_at");
  }
  std::vector<sql::SqlText> statements = sql::SplitStatements(text);
  if (statements.size() == 1) return std::move(statements.front());
  return Status::Invalid(text.file, " has ", statements.size(), " statements: write one SELECT");
}

Result<sql::SqlText> ReadSilver(const std::string& folder) {
  if (folder.empty()) return BuiltInSilver();
  const std::string path = std::filesystem::path(folder) / "silver.sql";
  ARROW_ASSIGN_OR_RAISE(std::string text, ReadRuleFile(path, "refine.sql_folder"));
  return OneStatement({std::move(text), path, 1});
}

std::string StampOf(const RuleFiles& files) {
  std::string stamp =
      StampOfFile(files.rules) + StampOfFile(files.rates) + StampOfFile(files.categories);
  if (!files.sql_folder.empty()) {
    stamp += StampOfFile(std::filesystem::path(files.sql_folder) / "silver.sql");
  }
  const auto text = ReadRuleFile(files.categories, "");
  const auto categories = text.ok() ? ParseCategoryFiles(*text, files.categories) : text.status();
  if (!categories.ok()) return stamp;
  for (const CategoryFile& file : *categories) stamp += StampOfFile(file.path);
  return stamp;
}

}  // namespace

RuleFiles RuleFiles::Of(const RefineConfig& config) {
  return {.rules = config.rules,
          .rates = config.rates,
          .categories = config.categories,
          .sql_folder = config.sql_folder,
          .late_after_seconds = config.late_after_seconds,
          .pass_rows = config.pass_rows};
}

Result<sql::SqlText> BuiltInSilver() {
  return OneStatement({std::string(kSilverSql), kBuiltInSilver, 1});
}

Result<std::shared_ptr<const RuleBook>> ReadRuleBook(const RuleFiles& files) {
  auto book = std::make_shared<RuleBook>();
  ARROW_ASSIGN_OR_RAISE(const std::string rules, ReadRuleFile(files.rules, "refine.rules"));
  ARROW_ASSIGN_OR_RAISE(book->rules, ParseRules(rules, files.rules));
  ARROW_RETURN_NOT_OK(CheckStopAbove(book->rules, files.pass_rows));
  ARROW_ASSIGN_OR_RAISE(book->lookups.rates, ReadRates(files.rates));
  ARROW_ASSIGN_OR_RAISE(const std::string listed,
                        ReadRuleFile(files.categories, "refine.categories"));
  ARROW_ASSIGN_OR_RAISE(book->category_files, ParseCategoryFiles(listed, files.categories));
  std::erase_if(book->category_files, [&](const CategoryFile& file) {
    return IsLeftOut(file) || (file.optional && !files.optional_categories);
  });
  ARROW_ASSIGN_OR_RAISE(book->lookups.categories, ReadCategories(book->category_files));
  ARROW_ASSIGN_OR_RAISE(book->silver, ReadSilver(files.sql_folder));
  book->late_after_seconds = files.late_after_seconds;
  book->fingerprint =
      FingerprintOf(book->rules, book->lookups, book->silver.text, book->late_after_seconds);
  return book;
}

RuleSource FromFiles(const RuleFiles& files) {
  return {.stamp = [files] { return StampOf(files); },
          .read = [files] { return ReadRuleBook(files); }};
}

}  // namespace shopstream::refine
