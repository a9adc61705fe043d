#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kafka/record.h"

namespace shopstream::kafka {

// 63 bits over timestamp, key and value: distinguishes a record from another at the same offset.
// The lake stores it, so it never changes. It is neither 0 nor negative. Headers are not in it,
// because they cost an allocation per record.
int64_t ContentHash(const RecordView& record);
// The same from stored fields.
int64_t ContentHash(int64_t timestamp_ms, const std::optional<std::string>& key,
                    const std::optional<std::string>& value);

}  // namespace shopstream::kafka
