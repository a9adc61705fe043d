#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace shopstream::kafka {

// Names as in Kafka's tools: TOPIC, TRANSACTIONAL_ID, DESCRIBE_CONFIGS.
enum class ResourceType { kTopic, kGroup, kCluster, kTransactionalId };
enum class PatternType { kLiteral, kPrefixed };
enum class Operation {
  kAll,
  kRead,
  kWrite,
  kCreate,
  kDelete,
  kAlter,
  kDescribe,
  kClusterAction,
  kDescribeConfigs,
  kAlterConfigs,
  kIdempotentWrite,
};

std::string_view NameOf(ResourceType type);
std::string_view NameOf(PatternType pattern);
std::string_view NameOf(Operation operation);

// Invalid lists the known names.
Result<ResourceType> ParseResourceType(const std::string& name);
Result<PatternType> ParsePatternType(const std::string& name);
Result<Operation> ParseOperation(const std::string& name);

// The only cluster, as ACLs name it.
inline constexpr std::string_view kClusterName = "kafka-cluster";

struct Resource {
  ResourceType type = ResourceType::kTopic;
  std::string name;

  auto operator<=>(const Resource&) const = default;
};

// "TOPIC orders", "CLUSTER"
std::string TextOf(const Resource& resource);

// Allows a principal one operation on resources, from any host.
struct Acl {
  std::string principal;  // "User:alice"
  Resource resource;      // "*" as the name, and kLiteral: every resource of the type.
  PatternType pattern = PatternType::kLiteral;
  Operation operation = Operation::kRead;

  auto operator<=>(const Acl&) const = default;
};

// "ALLOW User:alice READ on TOPIC orders (LITERAL)"
std::string TextOf(const Acl& acl);

// The operations on a resource that a client can try (AccessProbe).
const std::vector<Operation>& OperationsOf(ResourceType type);

// Whether the ACL allows the operation. As the brokers decide: READ, WRITE, DELETE and ALTER
// include DESCRIBE, ALTER_CONFIGS includes DESCRIBE_CONFIGS.
bool Allows(const Acl& acl, const Resource& resource, Operation operation);

}  // namespace shopstream::kafka
