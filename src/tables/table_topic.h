#pragma once

#include <string>

#include "base/status.h"
#include "lake/delta/table.h"

namespace shopstream::tables {

// Refuses a Bronze table that holds rows, but of other topics only. `topic_id`: the topic's in
// Kafka, empty if it is unknown. A topic that was created again has the same name, so its table is
// still its own; a table that several topics share belongs to each of them.
Status CheckFilledFrom(const lake::Snapshot& bronze, const std::string& table,
                       const std::string& topic, const std::string& topic_id);

}  // namespace shopstream::tables
