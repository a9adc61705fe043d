#include "security/roles.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/join.h"
#include "base/nearest_name.h"
#include "base/read_file.h"
#include "base/yaml_reader.h"

namespace shopstream::security {
namespace {

using kafka::Acl;
using kafka::ResourceType;

class RoleReader {
 public:
  RoleReader(const std::string& path, const Names& names) : yaml_(path), names_(names) {}

  Result<std::vector<Role>> Read(const YAML::Node& file) const {
    ARROW_RETURN_NOT_OK(yaml_.CheckKeys(file, {"roles"}, "the file"));
    const YAML::Node table = file["roles"];
    if (!table || !table.IsMap()) return yaml_.Error(file, "'roles' must be a table of roles");
    std::vector<Role> roles;
    std::set<std::string> users, taken;
    for (const auto& entry : table) {
      ARROW_ASSIGN_OR_RAISE(Role role, ReadRole(entry.first.Scalar(), entry.second));
      if (!taken.insert(role.name).second) {
        return yaml_.Error(entry.first, "role '", role.name, "' is given twice");
      }
      if (!users.insert(role.user).second) {
        return yaml_.Error(entry.second, "two roles have the user '", role.user, "'");
      }
      roles.push_back(std::move(role));
    }
    return roles;
  }

 private:
  Result<Role> ReadRole(const std::string& name, const YAML::Node& node) const {
    ARROW_RETURN_NOT_OK(yaml_.CheckKeys(node, {"user", "runs", "allow"}, "role " + name));
    Role role{.name = name, .user = {}, .runs = {}, .allow = {}};
    ARROW_ASSIGN_OR_RAISE(role.user, yaml_.Text(node, "user"));
    ARROW_ASSIGN_OR_RAISE(role.runs, yaml_.Text(node, "runs"));
    // It is the name of a file too.
    if (role.user.empty() || role.user.starts_with('.') ||
        role.user.find('/') != std::string::npos) {
      return yaml_.Error(node["user"], "'", role.user, "' is no name of a user");
    }
    const YAML::Node allow = node["allow"];
    if (!allow || !allow.IsSequence()) {
      return yaml_.Error(node, "'allow' must be a list of ACLs; [] allows nothing");
    }
    for (const YAML::Node& entry : allow) ARROW_RETURN_NOT_OK(ReadAcls(entry, &role));
    return role;
  }

  // One line of `allow`: an ACL for each of its operations.
  Status ReadAcls(const YAML::Node& node, Role* role) const {
    ARROW_RETURN_NOT_OK(
        yaml_.CheckKeys(node, {"resource", "name", "pattern", "operations"}, "an ACL"));
    Acl acl;
    acl.principal = role->principal();
    ARROW_ASSIGN_OR_RAISE(const std::string type, yaml_.Text(node, "resource"));
    ARROW_ASSIGN_OR_RAISE(acl.resource.type,
                          Located(node["resource"], kafka::ParseResourceType(type)));
    ARROW_ASSIGN_OR_RAISE(acl.resource.name, NameOf(node, acl.resource.type));
    if (node["pattern"]) {
      ARROW_ASSIGN_OR_RAISE(const std::string pattern, yaml_.Text(node, "pattern"));
      ARROW_ASSIGN_OR_RAISE(acl.pattern,
                            Located(node["pattern"], kafka::ParsePatternType(pattern)));
    }
    ARROW_ASSIGN_OR_RAISE(const auto operations, yaml_.Texts(node, "operations"));
    for (const std::string& operation : operations) {
      ARROW_ASSIGN_OR_RAISE(acl.operation,
                            Located(node["operations"], kafka::ParseOperation(operation)));
      role->allow.push_back(acl);
    }
    return Status::OK();
  }

  Result<std::string> NameOf(const YAML::Node& node, ResourceType type) const {
    if (type == ResourceType::kCluster) {
      if (node["name"]) return yaml_.Error(node["name"], "the cluster has no name: leave it out");
      return std::string(kafka::kClusterName);
    }
    ARROW_ASSIGN_OR_RAISE(std::string name, yaml_.Text(node, "name"));
    if (name.empty()) return yaml_.Error(node["name"], "the name is empty; \"*\" means all");
    return FillIn(node["name"], std::move(name));
  }

  Result<std::string> FillIn(const YAML::Node& node, std::string text) const {
    size_t begin = 0;
    while ((begin = text.find('{', begin)) != std::string::npos) {
      const size_t end = text.find('}', begin);
      if (end == std::string::npos) return yaml_.Error(node, "'{' is not closed in '", text, "'");
      const std::string word = text.substr(begin + 1, end - begin - 1);
      const auto found = names_.find(word);
      if (found == names_.end()) return UnknownWord(node, word);
      text.replace(begin, end + 1 - begin, found->second);
      begin += found->second.size();
    }
    return text;
  }

  Status UnknownWord(const YAML::Node& node, const std::string& word) const {
    std::vector<std::string> known;
    for (const auto& [name, value] : names_) known.push_back(name);
    return yaml_.Error(node, "{", word, "} stands for nothing",
                       Then(DidYouMean(word, known), "known: " + Joined(known, ", ")));
  }

  template <typename T>
  Result<T> Located(const YAML::Node& node, Result<T> parsed) const {
    if (parsed.ok()) return parsed;
    return yaml_.Error(node, parsed.status().message());
  }

  YamlReader yaml_;
  const Names& names_;
};

}  // namespace

Result<std::vector<Role>> ParseRoles(const std::string& text, const std::string& path,
                                     const Names& names) {
  try {
    return RoleReader(path, names).Read(YAML::Load(text));
  } catch (const YAML::Exception& e) {
    return Status::Invalid(path, ", line ", e.mark.line + 1, ": ", e.msg);
  }
}

Result<std::vector<Role>> ReadRoles(const std::string& path, const Names& names) {
  ARROW_ASSIGN_OR_RAISE(const std::string text, ReadFile(path));
  return ParseRoles(text, path, names);
}

Result<std::vector<Role>> Chosen(const std::vector<Role>& roles,
                                 const std::vector<std::string>& wanted) {
  if (wanted.empty()) return roles;
  std::vector<std::string> known;
  for (const Role& role : roles) known.push_back(role.name);
  for (const std::string& name : wanted) {
    if (std::ranges::find(known, name) != known.end()) continue;
    return Status::Invalid("there is no role ", name,
                           Then(DidYouMean(name, known), "known: " + Joined(known, ", ")));
  }
  std::vector<Role> chosen;
  std::ranges::copy_if(roles, std::back_inserter(chosen), [&](const Role& role) {
    return std::ranges::find(wanted, role.name) != wanted.end();
  });
  return chosen;
}

}  // namespace shopstream::security
