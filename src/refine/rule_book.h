#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/status.h"
#include "refine/files_in_force.h"
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

// The stamp consists of each file's time and size.
using RuleSource = FileSource<std::shared_ptr<const RuleBook>>;
RuleSource FromFiles(const RuleFiles& files);

}  // namespace shopstream::refine
