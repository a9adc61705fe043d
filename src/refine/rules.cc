#include "refine/rules.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "base/join.h"
#include "base/nearest_name.h"
#include "base/number.h"
#include "base/yaml_reader.h"
#include "refine/volatile_sql.h"

namespace shopstream::refine {
namespace {

using Texts = std::vector<std::string>;

const Texts& KindNames() {
  static const Texts names = {"not_null",  "range",        "allowed", "pattern",
                              "reference", "two_decimals", "sql"};
  return names;
}

bool IsRuleName(const std::string& name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name[0] >= 'a' && name[0] <= 'z' && std::ranges::all_of(name, fits);
}

// A number that SQL takes as it is written.
bool IsNumberText(const std::string& text) {
  const auto number = ParseWhole<double>(text);
  return number && std::isfinite(*number) &&
         text.find_first_not_of("+-.0123456789eE") == std::string::npos;
}

class RulesReader {
 public:
  RulesReader(const std::string& yaml, const std::string& file) : text_(yaml), yaml_(file) {
    rules_.file = file;
  }

  Result<Rules> Read(const YAML::Node& root) {
    ARROW_RETURN_NOT_OK(yaml_.CheckKeys(root, {"stop_above", "rules"}, "the file"));
    if (root["stop_above"]) ARROW_RETURN_NOT_OK(ReadStopAbove(root["stop_above"]));
    const YAML::Node rules = root["rules"];
    if (!rules) return yaml_.Error(root, "'rules' is missing");
    ARROW_ASSIGN_OR_RAISE(rules_.rules, ReadList(rules));
    return std::move(rules_);
  }

  Result<std::vector<Rule>> ReadList(const YAML::Node& list) {
    if (!list.IsSequence()) return yaml_.Error(list, "'rules' is a list of rules");
    std::vector<Rule> rules;
    std::set<std::string> names;
    for (const YAML::Node& node : list) {
      ARROW_ASSIGN_OR_RAISE(Rule rule, ReadRule(node));
      if (!names.insert(rule.name).second) {
        return yaml_.Error(node, "there are two rules with the name ", rule.name);
      }
      rules.push_back(std::move(rule));
    }
    return rules;
  }

 private:
  Status ReadStopAbove(const YAML::Node& node) {
    StopAbove stop;
    ARROW_RETURN_NOT_OK(yaml_.CheckKeys(node, {"percent", "rows"}, "stop_above"));
    ARROW_ASSIGN_OR_RAISE(const std::string percent, yaml_.Text(node, "percent"));
    ARROW_ASSIGN_OR_RAISE(const std::string rows, yaml_.Text(node, "rows"));
    const auto share = ParseWhole<double>(percent);
    if (!share || !(*share >= 0 && *share <= 100)) {
      return yaml_.Error(node["percent"], "'percent' is a number from 0 to 100");
    }
    const auto least = ParseWhole<int64_t>(rows);
    if (!least || *least < 1) {
      return yaml_.Error(node["rows"], "'rows' is a whole number above 0");
    }
    rules_.stop_above = StopAbove{.percent = *share, .rows = *least};
    return Status::OK();
  }

  Result<Rule> ReadRule(const YAML::Node& node) {
    Texts known = {"name", "owner", "description", "action"};
    known.insert(known.end(), KindNames().begin(), KindNames().end());
    ARROW_RETURN_NOT_OK(yaml_.CheckKeys(node, known, "a rule"));
    Rule rule;
    rule.line = node.Mark().line + 1;
    ARROW_ASSIGN_OR_RAISE(rule.name, yaml_.Text(node, "name"));
    ARROW_ASSIGN_OR_RAISE(rule.owner, yaml_.Text(node, "owner"));
    ARROW_ASSIGN_OR_RAISE(rule.description, yaml_.Text(node, "description"));
    if (!IsRuleName(rule.name)) {
      return yaml_.Error(node["name"], "'", rule.name,
                         "' is not a name of a rule: use a-z, 0-9 and _, a letter first");
    }
    if (rule.name == kNotComputable || rule.name == kDuplicate || rule.name == kClosedDate) {
      return yaml_.Error(node["name"], "'", rule.name,
                         "' is a built-in reason: give the rule another name");
    }
    ARROW_ASSIGN_OR_RAISE(rule.action, ReadAction(node));
    ARROW_ASSIGN_OR_RAISE(rule.condition, ReadCondition(node, rule.name));
    return rule;
  }

  Result<Action> ReadAction(const YAML::Node& node) {
    ARROW_ASSIGN_OR_RAISE(const std::string text, yaml_.Text(node, "action"));
    if (text == "warn") return Action::kWarn;
    if (text == "reject") return Action::kReject;
    if (text == "stop") return Action::kStop;
    return yaml_.Error(node["action"], "'action' can be: warn, reject, stop");
  }

  Result<RuleCondition> ReadCondition(const YAML::Node& node, const std::string& rule) {
    Texts given;
    for (const std::string& kind : KindNames()) {
      if (node[kind]) given.push_back(kind);
    }
    if (given.size() != 1) {
      return yaml_.Error(node, "rule ", rule, " has ",
                         given.empty() ? "no condition" : Joined(given, " and "),
                         ": give exactly one of ", Joined(KindNames(), ", "));
    }
    const std::string& kind = given.front();
    const YAML::Node value = node[kind];
    if (kind == "sql") return ReadSql(value);
    if (kind == "not_null") return ReadColumnAlone<NotNull>(value, kind);
    if (kind == "two_decimals") return ReadColumnAlone<TwoDecimals>(value, kind);
    if (kind == "range") return ReadRange(value);
    if (kind == "allowed") return ReadAllowed(value);
    if (kind == "pattern") return ReadPattern(value);
    return ReadReference(value);
  }

  Result<RuleCondition> ReadSql(const YAML::Node& node) {
    if (!node.IsScalar() || node.Scalar().find_first_not_of(" \n\t") == std::string::npos) {
      return yaml_.Error(node, "'sql' is a condition in SQL, such as \"amount_usd < 1000\"");
    }
    if (const std::string name = VolatileFunctionIn(node.Scalar()); !name.empty()) {
      return yaml_.Error(node, name, " gives another value each time, so a repeated pass would ",
                         "decide otherwise: use kafka_timestamp or ingested_at");
    }
    // A block's text begins on the line after its sign.
    const char first = text_[static_cast<size_t>(node.Mark().pos)];
    const bool is_block = first == '|' || first == '>';
    return SqlCondition{.text = node.Scalar(), .line = node.Mark().line + (is_block ? 2 : 1)};
  }

  template <typename Kind>
  Result<RuleCondition> ReadColumnAlone(const YAML::Node& node, const std::string& kind) {
    ARROW_RETURN_NOT_OK(yaml_.CheckKeys(node, {"column"}, kind));
    ARROW_ASSIGN_OR_RAISE(std::string column, yaml_.Text(node, "column"));
    return Kind{.column = std::move(column)};
  }

  Result<RuleCondition> ReadRange(const YAML::Node& node) {
    Range range;
    const std::map<std::string, std::optional<std::string>*> bounds = {{"least", &range.least},
                                                                       {"above", &range.above},
                                                                       {"most", &range.most},
                                                                       {"below", &range.below}};
    ARROW_RETURN_NOT_OK(
        yaml_.CheckKeys(node, {"column", "least", "above", "most", "below"}, "range"));
    ARROW_ASSIGN_OR_RAISE(range.column, yaml_.Text(node, "column"));
    for (const auto& [name, bound] : bounds) {
      if (!node[name]) continue;
      ARROW_ASSIGN_OR_RAISE(*bound, yaml_.Text(node, name));
      if (!IsNumberText(**bound)) {
        return yaml_.Error(node[name], "'", name, "' is a number, not '", **bound, "'");
      }
    }
    const bool has_least = range.least || range.above, has_most = range.most || range.below;
    if (!has_least && !has_most) {
      return yaml_.Error(node, "'range' needs a bound: least, above, most or below");
    }
    if ((range.least && range.above) || (range.most && range.below)) {
      return yaml_.Error(node, "'range' takes least or above, and most or below");
    }
    return range;
  }

  Result<RuleCondition> ReadAllowed(const YAML::Node& node) {
    ARROW_RETURN_NOT_OK(yaml_.CheckKeys(node, {"column", "values"}, "allowed"));
    Allowed allowed;
    ARROW_ASSIGN_OR_RAISE(allowed.column, yaml_.Text(node, "column"));
    ARROW_ASSIGN_OR_RAISE(allowed.values, yaml_.Texts(node, "values"));
    return allowed;
  }

  Result<RuleCondition> ReadPattern(const YAML::Node& node) {
    ARROW_RETURN_NOT_OK(yaml_.CheckKeys(node, {"column", "matches"}, "pattern"));
    Pattern pattern;
    ARROW_ASSIGN_OR_RAISE(pattern.column, yaml_.Text(node, "column"));
    ARROW_ASSIGN_OR_RAISE(pattern.matches, yaml_.Text(node, "matches"));
    return pattern;
  }

  Result<RuleCondition> ReadReference(const YAML::Node& node) {
    ARROW_RETURN_NOT_OK(yaml_.CheckKeys(node, {"column", "table", "key"}, "reference"));
    Reference reference;
    ARROW_ASSIGN_OR_RAISE(reference.column, yaml_.Text(node, "column"));
    ARROW_ASSIGN_OR_RAISE(reference.table, yaml_.Text(node, "table"));
    ARROW_ASSIGN_OR_RAISE(reference.key, yaml_.Text(node, "key"));
    const auto columns = LookupColumns(reference.table);
    if (!columns) {
      const Texts tables = {kCategoriesTable, kRatesTable};
      return yaml_.Error(node["table"], "there is no look-up table ", reference.table,
                         DidYouMean(reference.table, tables), " (there are ", Joined(tables, ", "),
                         ")");
    }
    if (std::ranges::find(*columns, reference.key) == columns->end()) {
      return yaml_.Error(node["key"], reference.table, " has no column ", reference.key,
                         DidYouMean(reference.key, *columns), " (it has ", Joined(*columns, ", "),
                         ")");
    }
    return reference;
  }

  const std::string& text_;
  const YamlReader yaml_;
  Rules rules_;
};

}  // namespace

const char* NameOf(Action action) {
  switch (action) {
    case Action::kWarn:
      return "warn";
    case Action::kReject:
      return "reject";
    case Action::kStop:
      return "stop";
  }
  return "";
}

std::optional<std::vector<std::string>> LookupColumns(const std::string& table) {
  if (table == kRatesTable) return Texts{"currency", "valid_from", "rate"};
  if (table == kCategoriesTable) return Texts{"product_id", "category"};
  return std::nullopt;
}

Result<Rules> ParseRules(const std::string& yaml, const std::string& file) {
  try {
    return RulesReader(yaml, file).Read(YAML::Load(yaml));
  } catch (const YAML::Exception& error) {
    return Status::Invalid(file, ", line ", error.mark.line + 1, ": ", error.msg);
  }
}

Result<std::vector<Rule>> ParseRuleList(const YAML::Node& rules, const std::string& text,
                                        const std::string& file) {
  return RulesReader(text, file).ReadList(rules);
}

std::string ColumnOf(const RuleCondition& condition) {
  return std::visit(
      [](const auto& kind) -> std::string {
        if constexpr (requires { kind.column; }) {
          return kind.column;
        } else {
          return "";
        }
      },
      condition);
}

}  // namespace shopstream::refine
