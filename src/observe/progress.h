#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace shopstream::observe {

// Where the lake keeps what ingest writes, relative to the lake's root.
inline constexpr char kBronzePath[] = "bronze-events";
inline constexpr char kQuarantinePath[] = "bronze-quarantine";

// The Kafka partition whose progress a Delta `txn` records, by its application id
// `shopstream/<kafka topic id>/<partition>`. The topic's id, not its name: a topic deleted and
// created again begins anew.
struct ProgressKey {
  std::string topic_id;
  int32_t partition = 0;
  auto operator<=>(const ProgressKey&) const = default;
};

// Nothing for an id of another application.
std::optional<ProgressKey> ParseProgressAppId(const std::string& app_id);

// Per partition the next offset to read, from all txns of a table.
std::map<ProgressKey, int64_t> ReadProgress(const std::map<std::string, int64_t>& txns);

}  // namespace shopstream::observe
