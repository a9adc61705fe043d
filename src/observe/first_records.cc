#include "observe/first_records.h"

#include <vector>

#include "base/error_kind.h"
#include "base/log.h"
#include "model/calendar.h"

namespace shopstream::observe {
namespace {

// Only the first record of each partition is needed, so little is fetched ahead.
constexpr kafka::ConsumerOptions kOneRecordEach{
    .queue_kbytes = 1024, .poll_records = 100, .outside_group = true};

// The client requires a name for manual assignment; nothing is ever committed under it.
KafkaConfig OutsideGroup(KafkaConfig config) {
  config.group += "-observe";
  config.group_instance_id.clear();
  return config;
}

}  // namespace

FirstRecords::FirstRecords(const KafkaConfig& config) : config_(OutsideGroup(config)) {}

std::map<int32_t, int64_t> FirstRecords::SentMillis(const std::string& topic_id,
                                                    const std::map<int32_t, Wanted>& wanted,
                                                    Millis patience) {
  if (topic_id != topic_id_) {
    consumer_.reset();  // It may still know the topic that was deleted.
    found_.clear();
    topic_id_ = topic_id;
  }
  Missing missing;
  for (const auto& [partition, at] : wanted) {
    const auto found = found_.find(partition);
    const bool is_known = found != found_.end() && found->second.at.next == at.next &&
                          (found->second.sent_ms || found->second.at.end == at.end);
    if (!is_known) missing.emplace(partition, at);
  }
  const Status read = missing.empty() ? Status::OK() : Read(missing, patience);
  if (!read.ok()) {
    Log::Debug("observe: the first records are not known: {}", read.message());
    consumer_.reset();
  }
  std::map<int32_t, int64_t> sent;
  for (const auto& [partition, at] : wanted) {
    const auto found = found_.find(partition);
    if (found == found_.end() || found->second.at.next != at.next) continue;
    if (found->second.sent_ms) sent[partition] = *found->second.sent_ms;
  }
  return sent;
}

Status FirstRecords::Read(Missing missing, Millis patience) {
  if (consumer_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(consumer_, kafka::Consumer::Open(config_, kOneRecordEach));
  }
  std::vector<kafka::PartitionOffset> start;
  for (const auto& [partition, at] : missing) start.push_back({partition, at.next});
  ARROW_RETURN_NOT_OK(consumer_->Assign(start));
  const BootClock::time_point deadline = BootClock::now() + patience;
  while (!missing.empty() && BootClock::now() < deadline) {
    ARROW_ASSIGN_OR_RAISE(const kafka::PollResult polled, consumer_->Poll(Millis{50}));
    if (polled.topic_gone) return Unavailable("the topic does not exist");
    ARROW_RETURN_NOT_OK(Take(polled, &missing));
  }
  std::vector<int32_t> late;
  for (const auto& [partition, at] : missing) late.push_back(partition);
  return late.empty() ? Status::OK() : consumer_->Unassign(late);
}

Status FirstRecords::Take(const kafka::PollResult& polled, Missing* missing) {
  for (const kafka::RecordView& record : polled.batch.records) {
    const auto wanted = missing->find(record.partition);
    if (wanted == missing->end() || record.offset < wanted->second.next) continue;
    std::optional<int64_t> sent_ms;
    if (IsKnownMillis(record.timestamp_ms)) sent_ms = record.timestamp_ms;
    ARROW_RETURN_NOT_OK(Keep(record.partition, sent_ms, missing));
  }
  // No record up to the end, a damaged batch, or a log that no longer has the offset.
  for (const kafka::PartitionOffset& end : polled.ends) {
    ARROW_RETURN_NOT_OK(Keep(end.partition, std::nullopt, missing));
  }
  for (const kafka::CorruptBatch& batch : polled.corrupt) {
    ARROW_RETURN_NOT_OK(Keep(batch.partition, std::nullopt, missing));
  }
  for (const auto& partitions : {polled.out_of_range, polled.truncated}) {
    for (const int32_t partition : partitions) {
      ARROW_RETURN_NOT_OK(Keep(partition, std::nullopt, missing));
    }
  }
  return Status::OK();
}

Status FirstRecords::Keep(int32_t partition, std::optional<int64_t> sent_ms, Missing* missing) {
  const auto wanted = missing->find(partition);
  if (wanted == missing->end()) return Status::OK();
  found_[partition] = {wanted->second, sent_ms};
  missing->erase(wanted);
  return consumer_->Unassign({partition});
}

}  // namespace shopstream::observe
