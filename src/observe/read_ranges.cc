#include "observe/read_ranges.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "base/error_kind.h"
#include "base/format.h"

namespace shopstream::observe {

Status ReadRanges(kafka::Reader* reader, const std::vector<OffsetRange>& ranges, Millis patience,
                  ProgressTicker* ticker, const OnRecord& on_record) {
  const std::string what = "records read from Kafka";
  int64_t most = 0;  // A compacted topic has fewer records than offsets.
  for (const OffsetRange& range : ranges) most += range.end - range.begin;
  int64_t records = 0;
  BootClock::time_point deadline = BootClock::now() + patience;
  while (!reader->done()) {
    ARROW_ASSIGN_OR_RAISE(const kafka::RecordBatch batch, reader->Next(Millis{200}));
    const BootClock::time_point now = BootClock::now();
    if (!batch.records.empty()) deadline = now + patience;
    if (now > deadline) {
      return reader->GiveUp(Unavailable("no records for ", FormatMillis(patience.count()),
                                        "; see `shopstream health` for the brokers"));
    }
    for (const kafka::RecordView& record : batch.records) on_record(record);
    records += std::ssize(batch.records);
    ARROW_RETURN_NOT_OK(ticker->Tick(what, records, std::max(most, records + 1)));
  }
  return ticker->Tick(what, records, records);
}

}  // namespace shopstream::observe
