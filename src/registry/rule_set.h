#pragma once

#include <optional>
#include <string>

// A schema's rules: {"migrationRules": [rule], "domainRules": [rule]}, as JSON; empty: none.
// Clients run them; the registry only keeps them.
namespace shopstream::registry {

// Why the rules are not valid; nothing: they are.
std::optional<std::string> FaultOfRules(const std::string& rule_set);

// With the defaults that Confluent's registry writes out: kind TRANSFORM, mode WRITEREAD.
std::string WithRuleDefaults(const std::string& rule_set);

// Both together; a rule of `under` that has the name of one of `over` is dropped.
std::string MergeRuleSets(const std::string& under, const std::string& over);

bool HasRuleOfType(const std::string& rule_set, const std::string& type);

}  // namespace shopstream::registry
