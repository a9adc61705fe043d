#include "kafka/reader.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error_kind.h"

namespace shopstream::kafka {

Reader::Reader(std::unique_ptr<Consumer> consumer, const std::vector<OffsetRange>& ranges)
    : consumer_(std::move(consumer)) {
  for (const OffsetRange& range : ranges) {
    if (!range.empty()) left_[range.partition] = range;
  }
}

Result<std::unique_ptr<Reader>> Reader::Open(const KafkaConfig& config,
                                             const std::vector<OffsetRange>& ranges,
                                             const ConsumerOptions& options) {
  KafkaConfig outside = config;
  // The client requires a name for manual assignment; nothing is ever committed under it.
  outside.group = config.group + "-reader";
  outside.group_instance_id.clear();
  ARROW_ASSIGN_OR_RAISE(auto consumer, Consumer::Open(outside, options));
  std::unique_ptr<Reader> reader(new Reader(std::move(consumer), ranges));
  std::vector<PartitionOffset> start;
  for (const auto& [partition, range] : reader->left_) start.push_back({partition, range.begin});
  if (!start.empty()) ARROW_RETURN_NOT_OK(reader->consumer_->Assign(start));
  return reader;
}

Status Reader::Finish(int32_t partition) {
  if (left_.erase(partition) == 0) return Status::OK();
  return consumer_->Unassign({partition});
}

Result<RecordBatch> Reader::Next(Millis timeout) {
  RecordBatch wanted;
  if (done()) return wanted;
  ARROW_ASSIGN_OR_RAISE(PollResult polled, consumer_->Poll(timeout));
  if (polled.topic_gone) {
    return Unavailable("The topic does not exist, or lacks some of the requested partitions");
  }
  for (int32_t partition : polled.out_of_range) {
    auto range = left_.find(partition);
    if (range == left_.end()) continue;
    // Retention deleted the records below the log start; that happens only once. If it happens
    // again, the end has moved back below the requested offset.
    if (!moved_to_log_start_.insert(partition).second) {
      return Unavailable("Partition ", partition, " ends below offset ", range->second.end,
                         ": the topic was truncated or created again. Restart the command");
    }
    ARROW_RETURN_NOT_OK(consumer_->Restart({{partition, kOffsetBeginning}}));
  }
  for (size_t i = 0; i < polled.batch.records.size(); ++i) {
    const RecordView& record = polled.batch.records[i];
    auto range = left_.find(record.partition);
    if (range == left_.end() || record.offset < range->second.begin) continue;
    if (record.offset < range->second.end) {
      range->second.begin = record.offset + 1;
      wanted.records.push_back(record);
      wanted.messages.push_back(std::move(polled.batch.messages[i]));
    }
    if (record.offset >= range->second.end - 1) ARROW_RETURN_NOT_OK(Finish(record.partition));
  }
  for (const PartitionOffset& end : polled.ends) {
    auto range = left_.find(end.partition);
    if (range != left_.end() && end.offset >= range->second.end) {
      ARROW_RETURN_NOT_OK(Finish(end.partition));
    }
  }
  return wanted;
}

}  // namespace shopstream::kafka
