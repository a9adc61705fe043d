#include "security/access.h"

#include <algorithm>
#include <set>

namespace shopstream::security {
namespace {

using kafka::Acl;
using kafka::Operation;
using kafka::PatternType;
using kafka::Resource;
using kafka::ResourceType;

// Names that nobody else uses.
constexpr char kUnnamed[] = "shopstream-security-check";
// The brokers' own, so that it exists: they tell more about it.
constexpr char kUnnamedTopic[] = "__consumer_offsets";

const Resource kCluster{ResourceType::kCluster, std::string(kafka::kClusterName)};

Resource ExampleOf(const Acl& acl) {
  Resource example = acl.resource;
  if (acl.pattern == PatternType::kPrefixed) example.name += "-security-check";
  return example;
}

// Trying this transactional id would stop the producer that uses it.
bool IsInUse(const Acl& acl) {
  return acl.resource.type == ResourceType::kTransactionalId &&
         acl.pattern == PatternType::kLiteral;
}

// The ACL of the table that allows the act; null: none does.
const Acl* Granting(const Role& role, const Resource& resource, Operation operation) {
  for (const Acl& acl : role.allow) {
    if (Allows(acl, resource, operation)) return &acl;
  }
  const bool creates_topic =
      resource.type == ResourceType::kTopic && operation == Operation::kCreate;
  return creates_topic ? Granting(role, kCluster, Operation::kCreate) : nullptr;
}

bool MayCreateTopics(const std::map<Resource, kafka::Access>& tried) {
  const auto cluster = tried.find(kCluster);
  if (cluster == tried.end()) return false;
  const auto create = cluster->second.allowed.find(Operation::kCreate);
  return create != cluster->second.allowed.end() && create->second;
}

}  // namespace

Act::Finding Act::finding() const {
  if (!allowed) return expected ? Finding::kUnknown : Finding::kNotTried;
  if (*allowed == expected) return Finding::kAsExpected;
  return expected ? Finding::kMissing : Finding::kExcess;
}

std::vector<Resource> ResourcesOf(const std::vector<Role>& roles, const Names& names) {
  std::set<Resource> resources = {kCluster,
                                  {ResourceType::kTopic, kUnnamedTopic},
                                  {ResourceType::kGroup, kUnnamed},
                                  {ResourceType::kTransactionalId, kUnnamed}};
  for (const auto& [word, type] :
       {std::pair{"topic", ResourceType::kTopic}, std::pair{"schemas", ResourceType::kTopic},
        std::pair{"group", ResourceType::kGroup}}) {
    if (const auto name = names.find(word); name != names.end()) {
      resources.insert({type, name->second});
    }
  }
  for (const Role& role : roles) {
    for (const Acl& acl : role.allow) {
      if (acl.resource.name != "*" && !IsInUse(acl)) resources.insert(ExampleOf(acl));
    }
  }
  return {resources.begin(), resources.end()};
}

std::vector<Act> Compare(const Role& role, const std::map<Resource, kafka::Access>& tried) {
  const bool may_create_topics = MayCreateTopics(tried);
  std::vector<Act> acts;
  for (const auto& [resource, access] : tried) {
    for (const Operation operation : OperationsOf(resource.type)) {
      Act act{resource, operation, Granting(role, resource, operation) != nullptr, {}, {}};
      if (const auto found = access.allowed.find(operation); found != access.allowed.end()) {
        act.allowed = found->second;
        const bool creates_topic =
            resource.type == ResourceType::kTopic && operation == Operation::kCreate;
        if (creates_topic && may_create_topics) act.allowed = true;
      } else {
        act.unknown = access.unknown;
      }
      acts.push_back(std::move(act));
    }
  }
  return acts;
}

std::string RemedyFor(const Act& act, const Role& role) {
  const std::string what =
      role.principal() + " " + std::string(NameOf(act.operation)) + " on " + TextOf(act.resource);
  switch (act.finding()) {
    case Act::Finding::kMissing: {
      const Acl* acl = Granting(role, act.resource, act.operation);
      return "add the ACL " + TextOf(*acl) + ", as `shopstream security setup` does";
    }
    case Act::Finding::kExcess:
      return "remove the ACL that allows " + what +
             ", or take the user out of the brokers' super.users";
    case Act::Finding::kUnknown:
      return "whether " + what + " is allowed could not be tried: " + act.unknown;
    case Act::Finding::kAsExpected:
    case Act::Finding::kNotTried:
      break;
  }
  return "";
}

}  // namespace shopstream::security
