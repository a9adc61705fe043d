#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "avro/schema.h"
#include "base/status.h"

namespace shopstream::avro {

// A value as people write it and as ShopStream shows it, in Avro's binary encoding: numbers and
// texts as JSON has them; timestamps and dates as ISO 8601 or as their number; decimals as "12.50"
// or as a number; uuids and durations as text; bytes and fixed as hexadecimal digits. A union takes
// the first branch that fits. A field that is left out takes its default.
//
// Invalid names the place, as "order.items[3].price", and what it takes.
Result<std::string> EncodeShown(const nlohmann::json& value, const Schema& schema);

}  // namespace shopstream::avro
