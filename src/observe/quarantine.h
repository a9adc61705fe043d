#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "lake/object_store.h"

namespace shopstream::observe {

// An undecodable record, as stored in bronze-quarantine.
struct QuarantinedRow {
  std::string topic, topic_id;
  int32_t partition = 0;
  int64_t offset = 0;
  // Kafka's; microseconds since the Unix epoch. Nothing: outside the years 0001 to 9999; `detail`
  // contains the number.
  std::optional<int64_t> timestamp_us;
  std::optional<int32_t> schema_id;
  std::string cause, detail;
  std::optional<std::string> key, value;
  std::string headers;  // JSON text.
  int64_t quarantined_at_us = 0;
};

struct QuarantineListing {
  std::vector<QuarantinedRow> newest;       // By Kafka's timestamp, newest first.
  std::map<std::string, int64_t> by_cause;  // All rows, filtered or not.
  int64_t matching = 0;                     // Rows that pass the filter.
};
nlohmann::ordered_json ToJson(const QuarantineListing& listing);
nlohmann::ordered_json ToJson(const QuarantinedRow& row);
// When the record was sent, ISO 8601, or "unknown".
std::string SentAt(const QuarantinedRow& row);

// `cause` empty: all. Reads the whole table, file by file, and keeps at most `limit` rows. Empty if
// the lake has no quarantine table.
Result<QuarantineListing> ListQuarantine(lake::ObjectStore* store, const std::string& table,
                                         const std::string& cause, size_t limit);

// There are several if a topic was deleted and created again.
Result<std::vector<QuarantinedRow>> FindQuarantined(lake::ObjectStore* store,
                                                    const std::string& table, int32_t partition,
                                                    int64_t offset);

// Sixteen bytes per line: offset, hexadecimal, text.
std::string HexDump(std::string_view bytes);

}  // namespace shopstream::observe
