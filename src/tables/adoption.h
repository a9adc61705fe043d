#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tables/partition_state.h"

// A topic that continues another one, of which it is a mirror: it has another id and other offsets,
// but its first records are copies of records that the lake has from the earlier topic. For each
// partition, Bronze keeps these txns besides those of partition_state.h:
//
//   appId := "shopstream-state/" topic-id "/" partition "/" name
//   name  := "adopted-from/" earlier-topic-id     version: see Adoption::below
//          | "adopted-end/" earlier-topic-id      version: see Adoption::earlier_end
//          | "copy/" offset                       version: see Adoption::copies
namespace shopstream::tables {

// What one partition of the mirror has that the lake has from the earlier topic. Each covered
// record is a copy of one row of the lake.
struct Adoption {
  std::string earlier_topic_id;
  int64_t below = 0;        // The seam: all records below this offset are copies.
  int64_t earlier_end = 0;  // The progress in the earlier topic when the mirror was adopted.
  // Copies at or above the seam, among records that are new: offset -> kafka::ContentHash.
  std::map<int64_t, int64_t> copies;

  bool operator==(const Adoption&) const = default;
};

// Nothing: the partition was read from its own beginning.
std::optional<Adoption> ReadAdoption(const Txns& txns, const std::string& topic_id,
                                     int32_t partition);
void Put(const std::string& topic_id, int32_t partition, const Adoption& adoption, Txns* txns);

// The topic and those that it continues, newest first. At most one for each topic id.
std::vector<std::string> ChainOf(const Txns& txns, const std::string& topic_id);

}  // namespace shopstream::tables
