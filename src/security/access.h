#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kafka/access_probe.h"
#include "kafka/acl.h"
#include "security/roles.h"

namespace shopstream::security {

// An operation on a resource: what the table of roles allows, and what the brokers allow.
struct Act {
  enum class Finding {
    kAsExpected,
    kMissing,   // Needed, and not allowed.
    kExcess,    // Allowed, and not in the table.
    kUnknown,   // Needed, and it could not be tried.
    kNotTried,  // Not in the table, and it could not be tried.
  };

  kafka::Resource resource;
  kafka::Operation operation = kafka::Operation::kRead;
  bool expected = false;
  std::optional<bool> allowed;  // Nothing: it could not be tried.
  std::string unknown;          // Why not.

  Finding finding() const;
  bool as_the_table_says() const {
    return finding() == Finding::kAsExpected || finding() == Finding::kNotTried;
  }
};

// The resources with which each role is tried: all that any role names, and one of each type that
// no role names, which shows an ACL that allows too much. Patterns are tried with a name that they
// match. A literal transactional id is left out: trying it would stop its producer.
std::vector<kafka::Resource> ResourcesOf(const std::vector<Role>& roles, const Names& names);

// Every operation on every resource that was tried. CREATE on the cluster includes CREATE on every
// topic.
std::vector<Act> Compare(const Role& role, const std::map<kafka::Resource, kafka::Access>& tried);

// What to do about an act that disagrees with the table; empty if it agrees.
std::string RemedyFor(const Act& act, const Role& role);

}  // namespace shopstream::security
