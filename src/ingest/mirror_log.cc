#include "ingest/mirror_log.h"

#include <utility>

#include "base/error_kind.h"

namespace shopstream::ingest {
namespace {

constexpr Millis kMirrorPoll{200};

}  // namespace

KafkaMirrorLog::KafkaMirrorLog(KafkaConfig config, kafka::Admin* admin, std::function<bool()> stop,
                               Millis patience)
    : config_(std::move(config)), admin_(admin), stop_(std::move(stop)), patience_(patience) {}

Result<int64_t> KafkaMirrorLog::FirstAt(int32_t partition, int64_t timestamp_ms) {
  auto offsets = admin_->OffsetsAt(config_.topic, {partition}, timestamp_ms);
  return std::move(offsets.front());
}

Status KafkaMirrorLog::Read(const OffsetRange& range, const OnRecords& on_records) {
  if (reader_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(reader_, kafka::Reader::Open(config_, {range}));
  } else {
    ARROW_RETURN_NOT_OK(reader_->ReadNext({range}));
  }
  BootClock::time_point heard = BootClock::now();
  while (!reader_->done()) {
    if (stop_()) return Status::Cancelled("stopped while the mirror was read; nothing was changed");
    ARROW_ASSIGN_OR_RAISE(const kafka::RecordBatch batch, reader_->Next(kMirrorPoll));
    if (!batch.records.empty()) {
      ARROW_ASSIGN_OR_RAISE(const bool more, on_records(batch));
      if (!more) return Status::OK();
      heard = BootClock::now();  // Not before: to compare the records may take long.
    }
    if (BootClock::now() - heard >= patience_) {
      return Unavailable("partition ", range.partition, " of ", config_.topic,
                         ": Kafka sends none of its records");
    }
  }
  return reader_->failed().empty() ? Status::OK() : reader_->failed().begin()->second;
}

}  // namespace shopstream::ingest
