#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

// Names in the lake that its writers and its readers must agree on.
namespace shopstream {

// Tables, relative to the lake's root; the defaults of lake.bronze_table and so on.
inline constexpr char kBronzePath[] = "bronze-events";
inline constexpr char kQuarantinePath[] = "bronze-quarantine";

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

// Names for the replay of quarantined records: the `txn.appId` whose version counts its commits,
// and the Bronze property that stores the offsets, see ReplayedOffsets.
std::string ReplayAppId(const std::string& topic_id);
std::string ReplayedProperty(const std::string& topic_id);

// The next offset to read per partition, from all txns of a table.
std::map<ProgressKey, int64_t> ReadProgress(const std::map<std::string, int64_t>& txns);

}  // namespace shopstream
