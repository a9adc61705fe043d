#pragma once

#include <cstdint>

#include "kafka/record.h"

namespace shopstream::kafka {

// 63 bits over timestamp, key and value: tells a record from another one at the same offset. The
// lake stores it, so it never changes. It is neither 0 nor negative. Headers are not in it, because
// they cost an allocation per record.
int64_t ContentHash(const RecordView& record);

}  // namespace shopstream::kafka
