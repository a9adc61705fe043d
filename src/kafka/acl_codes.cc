#include "kafka/acl_codes.h"

#include <array>
#include <utility>

namespace shopstream::kafka {
namespace {

constexpr std::array kTypeCodes = {
    std::pair{ResourceType::kTopic, RD_KAFKA_RESOURCE_TOPIC},
    std::pair{ResourceType::kGroup, RD_KAFKA_RESOURCE_GROUP},
    std::pair{ResourceType::kCluster, RD_KAFKA_RESOURCE_BROKER},
    std::pair{ResourceType::kTransactionalId, RD_KAFKA_RESOURCE_TRANSACTIONAL_ID}};

constexpr std::array kPatternCodes = {
    std::pair{PatternType::kLiteral, RD_KAFKA_RESOURCE_PATTERN_LITERAL},
    std::pair{PatternType::kPrefixed, RD_KAFKA_RESOURCE_PATTERN_PREFIXED}};

constexpr std::array kOperationCodes = {
    std::pair{Operation::kAll, RD_KAFKA_ACL_OPERATION_ALL},
    std::pair{Operation::kRead, RD_KAFKA_ACL_OPERATION_READ},
    std::pair{Operation::kWrite, RD_KAFKA_ACL_OPERATION_WRITE},
    std::pair{Operation::kCreate, RD_KAFKA_ACL_OPERATION_CREATE},
    std::pair{Operation::kDelete, RD_KAFKA_ACL_OPERATION_DELETE},
    std::pair{Operation::kAlter, RD_KAFKA_ACL_OPERATION_ALTER},
    std::pair{Operation::kDescribe, RD_KAFKA_ACL_OPERATION_DESCRIBE},
    std::pair{Operation::kClusterAction, RD_KAFKA_ACL_OPERATION_CLUSTER_ACTION},
    std::pair{Operation::kDescribeConfigs, RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS},
    std::pair{Operation::kAlterConfigs, RD_KAFKA_ACL_OPERATION_ALTER_CONFIGS},
    std::pair{Operation::kIdempotentWrite, RD_KAFKA_ACL_OPERATION_IDEMPOTENT_WRITE}};

template <typename T, typename Code, size_t N>
Code CodeIn(const std::array<std::pair<T, Code>, N>& codes, T wanted) {
  for (const auto& [value, code] : codes) {
    if (value == wanted) return code;
  }
  return {};  // UNKNOWN, which the brokers refuse.
}

template <typename T, typename Code, size_t N>
std::optional<T> ValueIn(const std::array<std::pair<T, Code>, N>& codes, Code wanted) {
  for (const auto& [value, code] : codes) {
    if (code == wanted) return value;
  }
  return std::nullopt;
}

}  // namespace

rd_kafka_ResourceType_t CodeOf(ResourceType type) { return CodeIn(kTypeCodes, type); }
rd_kafka_ResourcePatternType_t CodeOf(PatternType pattern) {
  return CodeIn(kPatternCodes, pattern);
}
rd_kafka_AclOperation_t CodeOf(Operation operation) { return CodeIn(kOperationCodes, operation); }

std::optional<ResourceType> ResourceTypeOf(rd_kafka_ResourceType_t code) {
  return ValueIn(kTypeCodes, code);
}
std::optional<PatternType> PatternTypeOf(rd_kafka_ResourcePatternType_t code) {
  return ValueIn(kPatternCodes, code);
}
std::optional<Operation> OperationOf(rd_kafka_AclOperation_t code) {
  return ValueIn(kOperationCodes, code);
}

}  // namespace shopstream::kafka
