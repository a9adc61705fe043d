#include "kafka/acl.h"

#include <utility>

#include "base/join.h"
#include "base/nearest_name.h"

namespace shopstream::kafka {
namespace {

template <typename T>
using Named = std::pair<std::string_view, T>;

constexpr Named<ResourceType> kResourceTypes[] = {
    {"TOPIC", ResourceType::kTopic},
    {"GROUP", ResourceType::kGroup},
    {"CLUSTER", ResourceType::kCluster},
    {"TRANSACTIONAL_ID", ResourceType::kTransactionalId}};

constexpr Named<PatternType> kPatternTypes[] = {{"LITERAL", PatternType::kLiteral},
                                                {"PREFIXED", PatternType::kPrefixed}};

constexpr Named<Operation> kOperations[] = {{"ALL", Operation::kAll},
                                            {"READ", Operation::kRead},
                                            {"WRITE", Operation::kWrite},
                                            {"CREATE", Operation::kCreate},
                                            {"DELETE", Operation::kDelete},
                                            {"ALTER", Operation::kAlter},
                                            {"DESCRIBE", Operation::kDescribe},
                                            {"CLUSTER_ACTION", Operation::kClusterAction},
                                            {"DESCRIBE_CONFIGS", Operation::kDescribeConfigs},
                                            {"ALTER_CONFIGS", Operation::kAlterConfigs},
                                            {"IDEMPOTENT_WRITE", Operation::kIdempotentWrite}};

template <typename T, size_t N>
std::string_view NameIn(const Named<T> (&names)[N], T wanted) {
  for (const auto& [name, value] : names) {
    if (value == wanted) return name;
  }
  return "UNKNOWN";
}

template <typename T, size_t N>
Result<T> ParseIn(const Named<T> (&names)[N], const std::string& text, std::string_view what) {
  std::vector<std::string> known;
  for (const auto& [name, value] : names) {
    if (name == text) return value;
    known.emplace_back(name);
  }
  return Status::Invalid("'", text, "' is no ", what,
                         Then(DidYouMean(text, known), "known: " + Joined(known, ", ")));
}

bool Includes(Operation granted, Operation wanted) {
  using enum Operation;
  if (granted == wanted || granted == kAll) return true;
  if (wanted == kDescribe) {
    return granted == kRead || granted == kWrite || granted == kDelete || granted == kAlter;
  }
  return wanted == kDescribeConfigs && granted == kAlterConfigs;
}

}  // namespace

std::string_view NameOf(ResourceType type) { return NameIn(kResourceTypes, type); }
std::string_view NameOf(PatternType pattern) { return NameIn(kPatternTypes, pattern); }
std::string_view NameOf(Operation operation) { return NameIn(kOperations, operation); }

Result<ResourceType> ParseResourceType(const std::string& name) {
  return ParseIn(kResourceTypes, name, "resource type");
}

Result<PatternType> ParsePatternType(const std::string& name) {
  return ParseIn(kPatternTypes, name, "pattern type");
}

Result<Operation> ParseOperation(const std::string& name) {
  return ParseIn(kOperations, name, "operation");
}

std::string TextOf(const Resource& resource) {
  std::string text(NameOf(resource.type));
  if (resource.type != ResourceType::kCluster) text += " " + resource.name;
  return text;
}

std::string TextOf(const Acl& acl) {
  return "ALLOW " + acl.principal + " " + std::string(NameOf(acl.operation)) + " on " +
         TextOf(acl.resource) + " (" + std::string(NameOf(acl.pattern)) + ")";
}

const std::vector<Operation>& OperationsOf(ResourceType type) {
  using enum Operation;
  static const std::vector<Operation> topic = {kRead,  kWrite,    kCreate,       kDelete,
                                               kAlter, kDescribe, kAlterConfigs, kDescribeConfigs};
  static const std::vector<Operation> group = {kRead, kDelete, kDescribe};
  static const std::vector<Operation> cluster = {kCreate, kAlter, kDescribe, kAlterConfigs,
                                                 kDescribeConfigs};
  static const std::vector<Operation> transactional_id = {kWrite};
  switch (type) {
    case ResourceType::kTopic:
      return topic;
    case ResourceType::kGroup:
      return group;
    case ResourceType::kCluster:
      return cluster;
    case ResourceType::kTransactionalId:
      break;
  }
  return transactional_id;
}

bool Allows(const Acl& acl, const Resource& resource, Operation operation) {
  if (acl.resource.type != resource.type || !Includes(acl.operation, operation)) return false;
  if (acl.pattern == PatternType::kPrefixed) return resource.name.starts_with(acl.resource.name);
  return acl.resource.name == "*" || acl.resource.name == resource.name;
}

}  // namespace shopstream::kafka
