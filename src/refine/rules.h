#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/status.h"

namespace shopstream::refine {

// What becomes of a row that breaks a rule.
enum class Action {
  kWarn,    // It is counted, and stays in Silver.
  kReject,  // It goes to the rejects.
  kStop,    // Nothing is committed until somebody decides.
};

// "warn", "reject" or "stop".
const char* NameOf(Action action);

// The kinds of conditions. All but NotNull are fulfilled by a missing value.
struct NotNull {
  std::string column;
};
// Bounds are numbers as written in the file. At least one is given.
struct Range {
  std::string column;
  std::optional<std::string> least, above, most, below;  // above and below: not the bound itself.
};
struct Allowed {
  std::string column;
  std::vector<std::string> values;
};
// A regular expression that matches a part of the value.
struct Pattern {
  std::string column;
  std::string matches;
};
// The value is among those of a column of a look-up table.
struct Reference {
  std::string column;
  std::string table;
  std::string key;
};
// A number without a third decimal.
struct TwoDecimals {
  std::string column;
};
// True or null: the row is fine.
struct SqlCondition {
  std::string text;
  int line = 1;  // Of the file, on which the text begins.
};
using RuleCondition =
    std::variant<NotNull, Range, Allowed, Pattern, Reference, TwoDecimals, SqlCondition>;

struct Rule {
  std::string name;  // Lower case, digits and _, so that names can be joined by commas.
  std::string owner;
  std::string description;
  Action action = Action::kReject;
  RuleCondition condition;
  int line = 1;  // Of the file.
};

// Halts if one rule rejects more than `percent` of at least `rows` rows.
struct StopAbove {
  double percent = 5;
  int64_t rows = 1000;
};

struct Rules {
  std::string file;
  std::vector<Rule> rules;  // Names are unique.
  std::optional<StopAbove> stop_above;
};

// Reasons that are not rules; no rule may have one of these names.
inline constexpr char kNotComputable[] = "not_computable";  // A computed column has no value.
inline constexpr char kDuplicate[] = "duplicate";
inline constexpr char kClosedDate[] = "closed_date";

// Look-up tables that rules and Silver's SQL read, and their columns.
inline constexpr char kRatesTable[] = "rates";
inline constexpr char kCategoriesTable[] = "product_categories";
// Nothing: there is no such table.
std::optional<std::vector<std::string>> LookupColumns(const std::string& table);

// `file`: for messages. Invalid names it and the line.
Result<Rules> ParseRules(const std::string& yaml, const std::string& file);
// The same from a list of rules within the text of a file.
Result<std::vector<Rule>> ParseRuleList(const YAML::Node& rules, const std::string& text,
                                        const std::string& file);

// The column that the condition looks at; "": it is SQL.
std::string ColumnOf(const RuleCondition& condition);

}  // namespace shopstream::refine
