#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

// Progress in Kafka, as the log of a table records it.
namespace shopstream::tables {

// The Kafka partition whose progress a Delta `txn` records. It uses the topic's id, not its name: a
// topic that is deleted and created again starts from the beginning.
struct ProgressKey {
  std::string topic_id;
  int32_t partition = 0;
  auto operator<=>(const ProgressKey&) const = default;
};

// `txn.appId` of one Kafka partition's progress, in Bronze and in quarantine:
// `shopstream/<kafka topic id>/<partition>`.
std::string ProgressAppId(const std::string& topic_id, int32_t partition);
// The inverse of ProgressAppId; nothing for an id of another application.
std::optional<ProgressKey> ParseProgressAppId(const std::string& app_id);

// The `txn.appId` whose version counts the commits of replayed quarantined records.
std::string ReplayAppId(const std::string& topic_id);

// The next offset to read per partition, from all txns of a table.
std::map<ProgressKey, int64_t> ReadProgress(const std::map<std::string, int64_t>& txns);

}  // namespace shopstream::tables
