#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/status.h"
#include "kafka/topic_metadata.h"
#include "observe/sample.h"

namespace shopstream::console {

// The lag of a group in a topic, or of the lake under the name of its group.
struct TopicLag {
  std::string group;
  bool is_lake = false;
  std::optional<int64_t> records;  // Nothing: unknown in a partition.
  std::optional<double> seconds;   // Only of the lake.
  std::optional<double> clear_seconds;
};
// By topic, the greatest first. Pure.
std::map<std::string, std::vector<TopicLag>> LagsByTopic(const observe::Sample& sample);

// Answers from what the sampler last saw. `user`: the principal, because Kafka hides silently what
// it may not see. Pure.
nlohmann::ordered_json BrokersAnswer(const observe::Sample& sample);
nlohmann::ordered_json TopicsAnswer(const observe::Sample& sample, const std::string& user);

// One topic as Kafka described it, with the lake's progress as the sampler last saw it. `spans`: in
// the order of the partitions. Without the configuration. Pure.
nlohmann::ordered_json TopicAnswer(const kafka::TopicState& topic,
                                   const std::vector<Result<kafka::OffsetSpan>>& spans,
                                   const observe::Sample& sample);

// The settings by name; values that Kafka calls sensitive, or that look so, are null. Pure.
nlohmann::ordered_json ConfigurationAnswer(const kafka::TopicState& topic);

}  // namespace shopstream::console
