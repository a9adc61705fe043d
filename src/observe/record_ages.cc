#include "observe/record_ages.h"

#include <algorithm>
#include <set>

#include "kafka/reader.h"
#include "model/calendar.h"

namespace shopstream::observe {
namespace {

// Only the first record of each range is needed, so little is fetched ahead.
constexpr kafka::ConsumerOptions kFirstRecordsOnly{.queue_kbytes = 1024, .poll_records = 100};

}  // namespace

// Reads from the beginning of each range to the first existing record: offsets may be skipped.
Result<std::map<int32_t, int64_t>> FirstRecordAges(const KafkaConfig& config,
                                                   const std::vector<OffsetRange>& ranges,
                                                   Millis patience) {
  std::map<int32_t, int64_t> ages;
  std::set<int32_t> wanted;
  for (const OffsetRange& range : ranges) wanted.insert(range.partition);
  if (wanted.empty()) return ages;
  ARROW_ASSIGN_OR_RAISE(const auto reader, kafka::Reader::Open(config, ranges, kFirstRecordsOnly));
  const BootClock::time_point deadline = BootClock::now() + patience;
  while (!wanted.empty() && !reader->done() && BootClock::now() < deadline) {
    ARROW_ASSIGN_OR_RAISE(const kafka::RecordBatch batch, reader->Next(Millis{100}));
    // Its age stays unknown: the batch at its progress may be damaged.
    for (const auto& failed : reader->failed()) wanted.erase(failed.first);
    for (const kafka::RecordView& record : batch.records) {
      if (wanted.erase(record.partition) == 0 || !IsKnownMillis(record.timestamp_ms)) continue;
      ages[record.partition] = std::max<int64_t>(0, WallClockMillis() - record.timestamp_ms);
    }
  }
  return ages;
}

}  // namespace shopstream::observe
