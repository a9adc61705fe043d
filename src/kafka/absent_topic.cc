#include "kafka/absent_topic.h"

#include <vector>

#include "base/nearest_name.h"
#include "kafka/errors.h"

namespace shopstream::kafka {

Status DescribeAbsence(const std::string& name, const KafkaConfig& config, Admin* admin) {
  std::vector<std::string> names;
  if (const auto topics = admin->ListTopics(); topics.ok()) {
    for (const auto& topic : *topics) names.push_back(topic.name);
  }
  return NoSuchTopic(name, config.bootstrap_servers, DidYouMean(name, names));
}

}  // namespace shopstream::kafka
