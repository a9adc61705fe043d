#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "lake/store/object_store.h"
#include "tables/quarantined_row.h"

namespace shopstream::observe {

using tables::QuarantinedRow;

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
