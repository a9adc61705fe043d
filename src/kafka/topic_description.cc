#include "kafka/topic_description.h"

#include <algorithm>
#include <string>
#include <vector>

namespace shopstream::kafka {
namespace {

// librdkafka prints topic ids in plain base64; Kafka's own tools (org.apache.kafka.common.Uuid)
// print the URL-safe alphabet.
std::string TopicIdText(const rd_kafka_Uuid_t* id) {
  const char* text = id == nullptr ? nullptr : rd_kafka_Uuid_base64str(id);
  std::string url_safe = text == nullptr ? "" : text;
  std::replace(url_safe.begin(), url_safe.end(), '+', '-');
  std::replace(url_safe.begin(), url_safe.end(), '/', '_');
  return url_safe;
}

std::vector<int32_t> NodeIds(const rd_kafka_Node_t** nodes, size_t count) {
  std::vector<int32_t> ids;
  for (size_t i = 0; i < count; ++i) ids.push_back(rd_kafka_Node_id(nodes[i]));
  return ids;
}

PartitionState ToPartitionState(const rd_kafka_TopicPartitionInfo_t* info) {
  PartitionState state;
  state.id = rd_kafka_TopicPartitionInfo_partition(info);
  const rd_kafka_Node_t* leader = rd_kafka_TopicPartitionInfo_leader(info);
  if (leader != nullptr) state.leader = rd_kafka_Node_id(leader);
  size_t count = 0;
  const rd_kafka_Node_t** nodes = rd_kafka_TopicPartitionInfo_replicas(info, &count);
  state.replicas = NodeIds(nodes, count);
  nodes = rd_kafka_TopicPartitionInfo_isr(info, &count);
  state.in_sync = NodeIds(nodes, count);
  return state;
}

}  // namespace

TopicState ToTopicState(const rd_kafka_TopicDescription_t* description) {
  TopicState topic;
  topic.name = rd_kafka_TopicDescription_name(description);
  topic.id = TopicIdText(rd_kafka_TopicDescription_topic_id(description));
  size_t count = 0;
  const auto* partitions = rd_kafka_TopicDescription_partitions(description, &count);
  for (size_t i = 0; i < count; ++i) topic.partitions.push_back(ToPartitionState(partitions[i]));
  std::sort(topic.partitions.begin(), topic.partitions.end(),
            [](const PartitionState& a, const PartitionState& b) { return a.id < b.id; });
  return topic;
}

}  // namespace shopstream::kafka
