#include "observe/read_ranges.h"

#include <iterator>

#include "base/error_kind.h"
#include "base/format.h"

namespace shopstream::observe {

Status ReadRanges(kafka::Reader* reader, Millis patience, ProgressTicker* ticker,
                  const OnRecord& on_record) {
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
    ARROW_RETURN_NOT_OK(ticker->Tick("records read from Kafka", records));
  }
  return Status::OK();
}

}  // namespace shopstream::observe
