#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"

// For src/kafka/*.cc only.
namespace shopstream::kafka {

template <auto Free>
struct FreedBy {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

// A C object of librdkafka and the function that frees it.
template <typename T, auto Free>
using Handle = std::unique_ptr<T, FreedBy<Free>>;

using QueueHandle = Handle<rd_kafka_queue_t, &rd_kafka_queue_destroy>;
using EventHandle = Handle<rd_kafka_event_t, &rd_kafka_event_destroy>;
using ErrorHandle = Handle<rd_kafka_error_t, &rd_kafka_error_destroy>;
using PartitionListHandle =
    Handle<rd_kafka_topic_partition_list_t, &rd_kafka_topic_partition_list_destroy>;

// The same offset for each; by default none.
PartitionListHandle ListPartitions(const std::string& topic, const std::vector<int32_t>& partitions,
                                   int64_t offset = RD_KAFKA_OFFSET_INVALID);

// The next event; null if none came within `timeout`, or none can come (IsHopeless).
EventHandle AwaitEvent(rd_kafka_t* client, rd_kafka_queue_t* queue, Millis timeout);

}  // namespace shopstream::kafka
