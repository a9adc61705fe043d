#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/status.h"
#include "refine/fingerprint.h"
#include "refine/lookups.h"
#include "refine/rules.h"
#include "sql/sql_text.h"

namespace shopstream::refine {

// Everything that decides what becomes of a row. Immutable.
struct RuleBook {
  Rules rules;
  Lookups lookups;
  std::vector<CategoryFile> category_files;  // Those that exist, in order.
  sql::SqlText silver;
  int64_t late_after_seconds = 3600;
  Fingerprint fingerprint;  // Of all the others.
};

// Where a rule book is read from.
struct RuleFiles {
  std::string rules = "config/refine/rules.yaml";
  std::string rates = "config/refine/rates.csv";
  std::string categories = "config/refine/categories.yaml";
  std::string sql_folder;  // Empty: the SQL built into the program.
  int64_t late_after_seconds = 3600;
  int64_t pass_rows = 500'000;      // The most rows of a pass, which stop_above counts.
  bool optional_categories = true;  // Read optional files of categories, where they exist.

  static RuleFiles Of(const RefineConfig& config);
};

// Invalid or IOError names the file, and the line if there is one.
Result<std::shared_ptr<const RuleBook>> ReadRuleBook(const RuleFiles& files);

// Silver's SQL in the program.
Result<sql::SqlText> BuiltInSilver();

// A source of rule books that may change while the program runs.
struct RuleSource {
  // Changes whenever a book that is read may be another one. Cheap.
  std::function<std::string()> stamp;
  std::function<Result<std::shared_ptr<const RuleBook>>()> read;
};
// The stamp consists of each file's time and size.
RuleSource FromFiles(const RuleFiles& files);

// The rule book in force: the newest one that can be used. One thread.
class CurrentRules {
 public:
  // Whether a book can be used; keeps what it makes of it, if so.
  using Accept = std::function<Status(const std::shared_ptr<const RuleBook>&)>;

  // Fails if the first book cannot be read or is not accepted.
  static Result<CurrentRules> Open(RuleSource source, const Accept& accept);

  // Reads the source again if it has changed. If the new book cannot be read or is not accepted,
  // the old one stays in force, and `broken` says why, once in the log as well.
  void Reload(const Accept& accept);

  const std::shared_ptr<const RuleBook>& book() const { return book_; }
  // OK: the book is that of the source.
  const Status& broken() const { return broken_; }

 private:
  CurrentRules(RuleSource source, std::string stamp, std::shared_ptr<const RuleBook> book);

  RuleSource source_;
  std::string stamp_;
  std::shared_ptr<const RuleBook> book_;
  Status broken_;
};

}  // namespace shopstream::refine
