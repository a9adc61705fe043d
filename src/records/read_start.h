#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "kafka/topic_metadata.h"
#include "model/offset_range.h"

namespace shopstream::records {

// Where `consume` begins in each partition.
struct ReadStart {
  enum class Form {
    kStart,       // The oldest record.
    kEnd,         // What comes from now on.
    kOffset,      // `number`.
    kAfterStart,  // `number` records after the oldest one.
    kBeforeEnd,   // `number` records before the end.
    kTime,        // The first record at `number`, in milliseconds since 1970.
  };
  Form form = Form::kEnd;
  int64_t number = 0;
};

// start, end, 7, +7, -7, @1761264000000 or @2025-10-24T08:15:30Z. Invalid lists the forms.
Result<ReadStart> ParseReadStart(const std::string& text);

// 1 or 0,2. Invalid explains the form.
Result<std::vector<int32_t>> ParsePartitions(const std::string& text);

// The offset in a partition, limited to those that Kafka has and the end. `at_time`: as in `times`
// below.
int64_t OffsetOf(const kafka::OffsetSpan& span, const ReadStart& start, int64_t at_time);

// The range to read of each partition: from the start, limited to the offsets that Kafka has.
// `times`: the offset of the start's time in each partition, -1 if nothing is that late; for kTime
// only. `to_end`: stop at the partition's present end. Partitions with nothing to read are left
// out.
std::vector<OffsetRange> ChooseRanges(const std::map<int32_t, kafka::OffsetSpan>& spans,
                                      const ReadStart& start,
                                      const std::map<int32_t, int64_t>& times, bool to_end);

}  // namespace shopstream::records
