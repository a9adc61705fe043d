#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "kafka/acl.h"

namespace shopstream::security {

// A Kafka user of the program, and the least that it may do.
struct Role {
  std::string name;
  std::string user;
  std::string runs;  // The commands that log in as this user.
  std::vector<kafka::Acl> allow;

  std::string principal() const { return "User:" + user; }
};

// What {topic} and other words in braces stand for.
using Names = std::map<std::string, std::string>;

// The roles of a YAML file, in its order; config/roles.yaml explains the format. Invalid names the
// line. `path`: for messages.
Result<std::vector<Role>> ParseRoles(const std::string& text, const std::string& path,
                                     const Names& names);
Result<std::vector<Role>> ReadRoles(const std::string& path, const Names& names);

// These roles, in the table's order; all if `wanted` is empty. Invalid: there is none of that name.
Result<std::vector<Role>> Chosen(const std::vector<Role>& roles,
                                 const std::vector<std::string>& wanted);

}  // namespace shopstream::security
