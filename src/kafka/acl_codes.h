#pragma once

#include <librdkafka/rdkafka.h>

#include <optional>

#include "kafka/acl.h"

// librdkafka's numbers, which are the protocol's. For src/kafka/*.cc only.
namespace shopstream::kafka {

// librdkafka calls the protocol's CLUSTER a broker.
rd_kafka_ResourceType_t CodeOf(ResourceType type);
rd_kafka_ResourcePatternType_t CodeOf(PatternType pattern);
rd_kafka_AclOperation_t CodeOf(Operation operation);

// Nothing: we do not know it.
std::optional<ResourceType> ResourceTypeOf(rd_kafka_ResourceType_t code);
std::optional<PatternType> PatternTypeOf(rd_kafka_ResourcePatternType_t code);
std::optional<Operation> OperationOf(rd_kafka_AclOperation_t code);

}  // namespace shopstream::kafka
