#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "avro/column_paths.h"
#include "avro/columns.h"
#include "base/status.h"
#include "ingest/layout_options.h"
#include "kafka/record.h"

namespace shopstream::ingest {

// How to read the event time of a record, whose UTC date is a partition column.
struct EventTime {
  enum class Form {
    kKafka,   // Kafka's timestamp.
    kMicros,  // A timestamp column.
    kDate,    // Midnight UTC of a date column.
    kNumber,  // An integer column: micros = value * times / over, rounded down.
    kText,    // A text column with an ISO 8601 time, which is UTC unless it has an offset.
  };
  Form form = Form::kKafka;
  int place = -1;  // The column, for avro::Columns.
  int64_t times = 1, over = 1;
  std::string path;  // Empty for kKafka.
  std::string unit;  // For kNumber only, such as "ms".
  int64_t earliest_micros = 0;
  int64_t ahead_hours = 0;
};

// Invalid: the field does not exist or is not a time, or its unit is missing or not needed. The
// message names candidates.
Result<EventTime> ResolveEventTime(const std::vector<avro::ColumnPath>& columns,
                                   const LayoutOptions& options);

// The event time of a decoded row in microseconds since 1970, or why it has none. Depends on the
// record and the settings alone, never on the clock. The record's timestamp is within the calendar.
std::variant<int64_t, std::string> ReadEventTime(const EventTime& time,
                                                 const avro::Columns& columns, int64_t row,
                                                 const kafka::RecordView& record);

}  // namespace shopstream::ingest
