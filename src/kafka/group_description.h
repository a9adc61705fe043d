#pragma once

#include <librdkafka/rdkafka.h>

#include "kafka/group_members.h"

// For src/kafka/*.cc only.
namespace shopstream::kafka {

// Whether the coordinator has just changed, or is still loading the group: it answers soon.
bool IsSettling(rd_kafka_resp_err_t code);

// Whether the brokers answered that there is no such group.
bool IsNoGroup(rd_kafka_resp_err_t code);

// `described` must not be an error other than IsNoGroup.
GroupDescription ToGroupDescription(const rd_kafka_ConsumerGroupDescription_t* described);

// In lower case: "classic", "consumer", "unknown".
const char* ProtocolName(rd_kafka_consumer_group_type_t type);

}  // namespace shopstream::kafka
