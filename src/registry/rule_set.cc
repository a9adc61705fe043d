#include "registry/rule_set.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "base/json.h"
#include "base/unicode_names.h"
#include "registry/schema_names.h"
#include "registry/shape.h"

namespace shopstream::registry {
namespace {

using Json = nlohmann::ordered_json;

struct RuleList {
  const char* name;
  const char* fault;
  std::array<std::string_view, 3> modes;  // The last one is both others; it may have two actions.
};
constexpr std::array<RuleList, 2> kLists = {
    {{"migrationRules",
      "Migration rules can only be UPGRADE, DOWNGRADE, UPDOWN",
      {"UPGRADE", "DOWNGRADE", "UPDOWN"}},
     {"domainRules",
      "Domain rules can only be WRITE, READ, WRITEREAD",
      {"WRITE", "READ", "WRITEREAD"}}}};
constexpr ShapedMember kRuleMembers[] = {
    {"name", Shape::kName},      {"doc", Shape::kText},      {"kind", Shape::kName},
    {"mode", Shape::kName},      {"type", Shape::kName},     {"tags", Shape::kTexts},
    {"params", Shape::kTextMap}, {"expr", Shape::kText},     {"onSuccess", Shape::kText},
    {"onFailure", Shape::kText}, {"disabled", Shape::kFlag},
};
constexpr size_t kLongestName = 64;

const Json& RulesOf(const Json& rule_set, const char* list) {
  static const Json kNone = Json::array();
  const auto found = rule_set.find(list);
  return found == rule_set.end() || found->is_null() ? kNone : *found;
}

Result<Json> ReadRule(const Json& given) {
  ARROW_ASSIGN_OR_RAISE(Json rule, ReadMembers(given, kRuleMembers));
  if (!rule.contains("kind")) rule["kind"] = "TRANSFORM";
  if (!rule.contains("mode")) rule["mode"] = "WRITEREAD";
  if (rule["kind"] == "TRANSFORM" || rule["kind"] == "CONDITION") return rule;
  return Status::Invalid("kind is neither TRANSFORM nor CONDITION");
}

std::optional<std::string> FaultOfName(const Json& rule) {
  const auto name = TextOf(rule, "name");
  if (!name) return "Missing rule name";
  if (name->empty()) return "Empty rule name";
  if (name->size() > kLongestName) return "Rule name too long";
  // A name as in Avro, but with hyphens after its first letter.
  std::string plain = *name;
  std::replace(plain.begin() + 1, plain.end(), '-', '_');
  if (!IsSimpleName(plain)) return "Illegal character in rule name: " + *name;
  return std::nullopt;
}

std::optional<std::string> FaultOfRule(const Json& rule, const RuleList& list) {
  if (!rule.is_object()) return std::string(list.name) + " holds something other than rules";
  if (auto fault = FaultOfName(rule)) return fault;
  if (!TextOf(rule, "type")) return "Missing rule type";
  const std::string mode = TextOf(rule, "mode").value_or("WRITEREAD");
  if (std::ranges::find(list.modes, mode) == list.modes.end()) return list.fault;
  for (const char* action : {"onSuccess", "onFailure"}) {
    const bool several = TextOf(rule, action).value_or("").find(',') != std::string::npos;
    if (several && mode != list.modes.back()) {
      return "Multiple actions only valid with WRITEREAD and UPDOWN";
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> FaultOfRules(const std::string& rule_set) {
  if (rule_set.empty()) return std::nullopt;
  const Json parsed = ParseOrderedJson(rule_set);
  if (!parsed.is_object()) return "ruleSet is not an object";
  std::set<std::string> names;
  for (const RuleList& list : kLists) {
    const Json& rules = RulesOf(parsed, list.name);
    if (!rules.is_array()) return std::string(list.name) + " is not a list";
    for (const Json& rule : rules) {
      if (auto fault = FaultOfRule(rule, list)) return fault;
      if (!names.insert(rule["name"]).second) {
        return "Found rule with duplicate name '" + rule["name"].get<std::string>() + "'";
      }
    }
  }
  return std::nullopt;
}

Result<std::string> ReadRules(const std::string& rule_set) {
  const Json given = ParseOrderedJson(rule_set);
  if (!given.is_object()) return Status::Invalid("it is not an object");
  Json out = Json::object();
  for (const auto& [name, rules] : given.items()) {
    const bool known =
        std::ranges::any_of(kLists, [&name](const RuleList& list) { return name == list.name; });
    if (!known || rules.is_null()) continue;
    if (!rules.is_array()) return Status::Invalid(name, " is not a list");
    for (const Json& rule : rules) {
      const auto read = ReadRule(rule);
      if (!read.ok()) return Status::Invalid("a rule of ", name, ": ", read.status().message());
      out[name].push_back(*read);
    }
  }
  return DumpJson(out);
}

bool AreSameRules(const std::string& one, const std::string& other) {
  const auto sorted = [](const std::string& text) {
    return ParseJson(ReadRules(text).ValueOr(text));
  };
  return one == other || (!one.empty() && !other.empty() && sorted(one) == sorted(other));
}

std::string MergeRuleSets(const std::string& under, const std::string& over) {
  if (under.empty() || over.empty()) return under.empty() ? over : under;
  const Json below = ParseOrderedJson(under);
  Json merged = ParseOrderedJson(over);
  if (!below.is_object() || !merged.is_object()) return over;
  for (const RuleList& list : kLists) {
    const Json& old_rules = RulesOf(below, list.name);
    const Json new_rules = RulesOf(merged, list.name);
    if (old_rules.empty() || !new_rules.is_array()) continue;
    Json rules = Json::array();
    for (const Json& rule : old_rules) {
      const bool replaced = std::ranges::any_of(new_rules, [&](const Json& one) {
        return one.value("name", Json()) == rule.value("name", Json());
      });
      if (!replaced) rules.push_back(rule);
    }
    for (const Json& rule : new_rules) rules.push_back(rule);
    merged[list.name] = std::move(rules);
  }
  return DumpJson(merged);
}

bool HasRuleOfType(const std::string& rule_set, const std::string& type) {
  if (rule_set.empty()) return false;
  const Json parsed = ParseOrderedJson(rule_set);
  return parsed.is_object() && std::ranges::any_of(kLists, [&](const RuleList& list) {
           return std::ranges::any_of(RulesOf(parsed, list.name), [&](const Json& rule) {
             return rule.is_object() && TextOf(rule, "type") == type;
           });
         });
}

}  // namespace shopstream::registry
