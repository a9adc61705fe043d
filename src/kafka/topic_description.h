#pragma once

#include <librdkafka/rdkafka.h>

#include "kafka/topic_metadata.h"

// For src/kafka/*.cc only.
namespace shopstream::kafka {

// librdkafka's description of a topic as ours, without settings; partitions in their order.
TopicState ToTopicState(const rd_kafka_TopicDescription_t* description);

}  // namespace shopstream::kafka
