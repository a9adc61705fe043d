#pragma once

#include <optional>
#include <string>

#include "base/status.h"

// A schema's rules: {"migrationRules": [rule], "domainRules": [rule]}, as JSON; empty: none.
// Clients run them; the registry only keeps them.
namespace shopstream::registry {

// As Confluent's registry keeps them: sets sorted, nothing that is unknown or empty, and the
// defaults written out: kind TRANSFORM, mode WRITEREAD. Invalid names what has the wrong shape.
Result<std::string> ReadRules(const std::string& rule_set);

// Why rules of the right shape are not valid; nothing: they are.
std::optional<std::string> FaultOfRules(const std::string& rule_set);

// Whether both hold the same, with sets in whatever order.
bool AreSameRules(const std::string& one, const std::string& other);

// Both together; a rule of `under` that has the name of one of `over` is dropped.
std::string MergeRuleSets(const std::string& under, const std::string& over);

bool HasRuleOfType(const std::string& rule_set, const std::string& type);

}  // namespace shopstream::registry
