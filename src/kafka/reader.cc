#include "kafka/reader.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error_kind.h"

namespace shopstream::kafka {

Reader::Reader(std::unique_ptr<Consumer> consumer) : consumer_(std::move(consumer)) {}

Result<std::unique_ptr<Reader>> Reader::Open(const KafkaConfig& config,
                                             const std::vector<OffsetRange>& ranges,
                                             const ConsumerOptions& options) {
  KafkaConfig outside = config;
  // The client requires a name for manual assignment; nothing is ever committed under it.
  outside.group = config.group + "-reader";
  outside.group_instance_id.clear();
  ConsumerOptions reading = options;
  reading.outside_group = true;
  ARROW_ASSIGN_OR_RAISE(auto consumer, Consumer::Open(outside, reading));
  std::unique_ptr<Reader> reader(new Reader(std::move(consumer)));
  ARROW_RETURN_NOT_OK(reader->ReadNext(ranges));
  return reader;
}

Status Reader::ReadNext(const std::vector<OffsetRange>& ranges) {
  std::vector<int32_t> assigned;
  for (const auto& [partition, left] : left_) assigned.push_back(partition);
  left_.clear();
  failed_.clear();
  moved_to_log_start_.clear();
  if (!assigned.empty()) ARROW_RETURN_NOT_OK(consumer_->Unassign(assigned));
  for (const OffsetRange& range : ranges) {
    if (!range.empty()) left_[range.partition].push_back(range);
  }
  std::vector<PartitionOffset> start;
  for (const auto& [partition, left] : left_) start.push_back({partition, left.front().begin});
  return start.empty() ? Status::OK() : consumer_->Assign(start);
}

// Continues with the partition's next range, if it has one.
Status Reader::EndRange(int32_t partition) {
  std::deque<OffsetRange>& ranges = left_.at(partition);
  ranges.pop_front();
  moved_to_log_start_.erase(partition);
  if (!ranges.empty()) return consumer_->Restart({{partition, ranges.front().begin}});
  left_.erase(partition);
  return consumer_->Unassign({partition});
}

Status Reader::Fail(int32_t partition, const Status& why) {
  left_.erase(partition);
  failed_.emplace(partition, why);
  return consumer_->Unassign({partition});
}

Status Reader::GiveUp(const Status& why) {
  while (!left_.empty()) ARROW_RETURN_NOT_OK(Fail(left_.begin()->first, why));
  return Status::OK();
}

// `ended`: the partitions of which a range ends here. Their later records in the same poll
// are left out: the next range is read from its beginning.
Status Reader::TakeRecords(PollResult* polled, RecordBatch* wanted, std::set<int32_t>* ended) {
  for (size_t i = 0; i < polled->batch.records.size(); ++i) {
    const RecordView& record = polled->batch.records[i];
    const auto ranges = left_.find(record.partition);
    if (ranges == left_.end() || ended->contains(record.partition)) continue;
    if (record.offset >= ranges->second.front().end) {
      ended->insert(record.partition);
      ARROW_RETURN_NOT_OK(EndRange(record.partition));
      continue;
    }
    OffsetRange& range = ranges->second.front();
    if (record.offset < range.begin) continue;
    range.begin = record.offset + 1;
    const bool is_last = range.begin == range.end;
    wanted->records.push_back(record);
    wanted->messages.push_back(std::move(polled->batch.messages[i]));
    if (!is_last) continue;
    ended->insert(record.partition);
    ARROW_RETURN_NOT_OK(EndRange(record.partition));
  }
  return Status::OK();
}

// Retention deleted the records below the log start; that happens only once. If it happens again,
// the end has moved back below the requested offset.
Status Reader::FollowLogStart(int32_t partition) {
  if (moved_to_log_start_.insert(partition).second) {
    return consumer_->Restart({{partition, kOffsetBeginning}});
  }
  return Fail(partition, Unavailable("the log ends below offset ", left_.at(partition).front().end,
                                     ": the topic was cut or created again. Restart the command"));
}

Result<RecordBatch> Reader::Next(Millis timeout) {
  RecordBatch wanted;
  if (done()) return wanted;
  ARROW_ASSIGN_OR_RAISE(PollResult polled, consumer_->Poll(timeout));
  if (polled.topic_gone) {
    return Unavailable("The topic does not exist, or lacks some of the requested partitions");
  }
  std::set<int32_t> ended;
  ARROW_RETURN_NOT_OK(TakeRecords(&polled, &wanted, &ended));
  const auto is_read = [&](int32_t partition) {
    return left_.contains(partition) && !ended.contains(partition);
  };
  for (const int32_t partition : polled.out_of_range) {
    if (is_read(partition)) ARROW_RETURN_NOT_OK(FollowLogStart(partition));
  }
  for (const int32_t partition : polled.truncated) {
    if (!is_read(partition)) continue;
    ARROW_RETURN_NOT_OK(
        Fail(partition, Unavailable("the log was cut while it was read: its records have changed. "
                                    "Restart the command")));
  }
  for (const CorruptBatch& batch : polled.corrupt) {
    if (!is_read(batch.partition)) continue;
    // The damage may be after the range, if the range ends in offsets without a record.
    ARROW_RETURN_NOT_OK(
        batch.offset >= left_.at(batch.partition).front().end
            ? EndRange(batch.partition)
            : Fail(batch.partition,
                   Corrupt("the batch at offset ", batch.offset, " cannot be read: ", batch.reason,
                           ". Another replica may have it intact")));
  }
  for (const PartitionOffset& end : polled.ends) {
    if (!is_read(end.partition)) continue;
    if (end.offset >= left_.at(end.partition).front().end) {
      ARROW_RETURN_NOT_OK(EndRange(end.partition));
    }
  }
  return wanted;
}

}  // namespace shopstream::kafka
