#pragma once

#include <arrow/array/array_nested.h>

#include <cstdint>
#include <string>

namespace shopstream::lake {

// The JSON text of add.stats from row `i` of a checkpoint's add.stats_parsed (Delta protocol,
// "Checkpoint Schema"), the only statistics in a checkpoint if the table's property
// delta.checkpoint.writeStatsAsJson is false. Empty: the row has no statistics. Values are
// unchanged, with strings and decimals in full; those that JSON statistics cannot represent (bytes,
// years outside 1 to 9999) are omitted.
std::string StatisticsText(const arrow::StructArray& parsed, int64_t i);

// Statistics in a canonical form: equal texts for equal values, regardless of a number's digits, a
// time's zone, and null members. Only for comparison.
std::string PlainStatistics(const std::string& statistics);

}  // namespace shopstream::lake
