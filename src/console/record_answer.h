#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "arrow/type_fwd.h"
#include "console/masking.h"
#include "kafka/record.h"
#include "records/record_json.h"

namespace shopstream::console {

// How much of a record an answer has.
enum class RecordDetail {
  kRow,    // For a list: long values and bytes are left out, and "cut" is true.
  kWhole,  // Everything, with the bytes in hexadecimal digits.
};

// {"partition": 0, "offset": 7, "timestamp_ms": 1761293730000, "key": "42", "headers": [...],
//  "schema_id": 1, "value": {...}}
//
// A key that is not printable text has `key_hex` instead. An undecodable value has `error` and
// `value_hex` instead of `value`.
// A tombstone has none of them. If anything is masked, keys, headers and bytes are
// left out, and `hidden` is true.
nlohmann::ordered_json ToAnswer(const kafka::RecordView& record, RecordDetail detail,
                                const Masking& masking, records::RecordDecoder* decoder);

// Whether a column must not be searched: it is masked, or something inside it is, or may be.
bool HidesAny(const Masking& masking, const arrow::Field& field);

}  // namespace shopstream::console
