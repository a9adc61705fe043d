#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"

namespace shopstream::tables {

// Which fields of the record partition Bronze and are its event time. Stored when the table is
// created, as the property shopstream.layout:
//   {"partition": [{"path": "head.land", "column": "head_land"}],
//    "eventTime": {"path": "at", "unit": "ms"}}
struct TableLayout {
  struct Partition {
    std::string path, column;
    bool operator==(const Partition&) const = default;
  };
  std::vector<Partition> partition;  // Without the date.
  std::string event_time_path;       // Empty: Kafka's timestamp.
  std::string event_time_unit;       // Set only for a plain number.

  bool operator==(const TableLayout&) const = default;
};

std::string Format(const TableLayout& layout);
// Nothing: the table has no such property, because an earlier version or another program created
// it. Invalid: it is not such a text.
Result<std::optional<TableLayout>> ReadTableLayout(const lake::Snapshot& snapshot);

}  // namespace shopstream::tables
