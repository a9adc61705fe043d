#pragma once

#include <string>

// Names of our tables and of their properties, which writers and readers must agree on.
namespace shopstream::tables {

// Relative to the lake's root; the defaults of lake.bronze_table and lake.quarantine_table.
inline constexpr char kBronzePath[] = "bronze-events";
inline constexpr char kQuarantinePath[] = "bronze-quarantine";

// Properties of Bronze: the Avro schema from which the columns were derived and, if any partition
// value is allowed, the admitted values as a JSON list.
inline constexpr char kReaderSchemaProperty[] = "shopstream.readerSchema";
inline constexpr char kPartitionValuesProperty[] = "shopstream.partitionValues";
// The settings with which Bronze was created, see TableLayout.
inline constexpr char kLayoutProperty[] = "shopstream.layout";

// The tables of the topic's further record types, see RecordTypes. Each of these tables names
// Bronze in the second property.
inline constexpr char kTypesProperty[] = "shopstream.types";
inline constexpr char kSideOfProperty[] = "shopstream.sideOf";

// The property of Bronze that stores the replayed offsets of a topic, see ReplayedOffsets.
inline std::string ReplayedProperty(const std::string& topic_id) {
  return "shopstream.replayed." + topic_id;
}

}  // namespace shopstream::tables
