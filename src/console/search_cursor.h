#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "console/search_request.h"

namespace shopstream::console {

// How far a search is in a partition. Oldest first, [from, next) is searched and [next, to) is
// left; newest first, [next, to) is searched and [from, next) is left.
struct PartitionScan {
  int32_t partition = 0;
  int64_t from = 0, to = 0;
  int64_t next = 0;

  bool operator==(const PartitionScan&) const = default;
};

struct SearchProgress {
  std::string topic_id;
  std::vector<PartitionScan> partitions;  // Ascending.
  int64_t scanned = 0, matched = 0;       // Records so far.

  bool operator==(const SearchProgress&) const = default;
};

// Whether nothing is left of the partition.
bool IsScanned(const PartitionScan& scan, SearchOrder order);

// The progress as text for an address:
//
//   cursor := topic_id "." scanned "." matched ("." partition "_" from "_" to "_" next)* "." check
//   check := the first 12 hexadecimal digits of SHA-256(what is before it, "\n", identity)
std::string ToCursor(const SearchProgress& progress, const SearchRequest& request);
// What is before the check, with it.
std::string WithCheck(const std::string& body, const SearchRequest& request);

// Invalid: the text is not whole, or belongs to another search.
Result<SearchProgress> ParseCursor(const std::string& text, const SearchRequest& request);

}  // namespace shopstream::console
