#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

// Names in the lake that whoever writes it and whoever looks at it must agree on.
namespace shopstream {

// Tables, relative to the lake's root; the defaults of lake.bronze_table and so on.
inline constexpr char kBronzePath[] = "bronze-events";
inline constexpr char kQuarantinePath[] = "bronze-quarantine";

// The Kafka partition whose progress a Delta `txn` records. The topic's id, not its name: a topic
// deleted and created again begins anew.
struct ProgressKey {
  std::string topic_id;
  int32_t partition = 0;
  auto operator<=>(const ProgressKey&) const = default;
};

// `txn.appId` of one Kafka partition's progress, in Bronze and in quarantine:
// `shopstream/<kafka topic id>/<partition>`.
std::string ProgressAppId(const std::string& topic_id, int32_t partition);
// The way back; nothing for an id of another application.
std::optional<ProgressKey> ParseProgressAppId(const std::string& app_id);

// Of the replay of quarantined records: `txn.appId`, whose version counts the commits, and the
// Bronze property that names the offsets, see ReplayedOffsets.
std::string ReplayAppId(const std::string& topic_id);
std::string ReplayedProperty(const std::string& topic_id);

// Per partition the next offset to read, from all txns of a table.
std::map<ProgressKey, int64_t> ReadProgress(const std::map<std::string, int64_t>& txns);

}  // namespace shopstream
