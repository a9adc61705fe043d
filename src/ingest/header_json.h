#pragma once

#include <string>

#include "kafka/record.h"

namespace shopstream::ingest {

// A record's headers as a JSON array, for the column `headers`: [{"key": "trace", "value": "1"}].
// A value is null, text, or, if its bytes are not UTF-8, "value_base64" instead of "value"; a name
// likewise, "key_base64" instead of "key".
std::string HeadersToJson(const kafka::Headers& headers);

}  // namespace shopstream::ingest
