#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "tables/quarantined_row.h"
#include "tables/replayed_offsets.h"

// Quarantine a page at a time, the rows that were quarantined last first.
namespace shopstream::observe {

// A row's place in that order, which is the opposite of this one.
struct QuarantinePlace {
  int64_t quarantined_at_us = 0;
  std::string topic_id;
  int32_t partition = 0;
  int64_t offset = 0;

  auto operator<=>(const QuarantinePlace&) const = default;
};
//   place := quarantined-at-us "." partition "." offset "." topic-id
std::string Format(const QuarantinePlace& place);
// Invalid: not a text of this grammar.
Result<QuarantinePlace> ParseQuarantinePlace(std::string_view text);

struct QuarantinePageRequest {
  std::string cause = {};                      // Empty: any.
  std::optional<QuarantinePlace> before = {};  // Only rows below it; nothing: all.
  size_t limit = 50;                           // Rows, at least 1.
  BootClock::time_point deadline = BootClock::time_point::max();
};

struct QuarantinePage {
  std::vector<tables::QuarantinedRow> rows;  // Without key, value and headers.
  std::optional<QuarantinePlace> next;  // `before` of the next page; nothing: this is the last.
  bool out_of_time = false;             // The deadline ended the page, not its limit.
  int64_t files_read = 0;
};

// Reads the files with the newest rows, as the log's statistics show, until no other file can have
// a row of the page. At the deadline the page has the rows that are certain by then; the next page
// continues there, and each one makes progress.
Result<QuarantinePage> ReadQuarantinePage(lake::ObjectStore* store, const std::string& table_path,
                                          const lake::Snapshot& quarantine,
                                          const QuarantinePageRequest& request);

// By topic id: the offsets of quarantine that a replay has added to Bronze or a side table.
using ReplayedByTopic = std::map<std::string, tables::ReplayedOffsets>;
Result<ReplayedByTopic> ReadAllReplayed(lake::ObjectStore* store, const lake::Snapshot& bronze);

}  // namespace shopstream::observe
