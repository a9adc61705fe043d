#include "ingest/ends_watch.h"

#include <utility>
#include <vector>

#include "base/clock.h"

namespace shopstream::ingest {

EndsWatch::EndsWatch(kafka::TopicMetadata* topics, std::string topic)
    : topics_(topics), topic_(std::move(topic)), thread_([this] { Run(); }) {}

EndsWatch::~EndsWatch() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.NotifyAll();
  thread_.join();
}

void EndsWatch::Ask(const std::string& topic_id, std::map<int32_t, int64_t> read) {
  if (topic_id.empty() || read.empty()) return;
  {
    std::lock_guard lock(mutex_);
    question_ = Question{topic_id, std::move(read)};
  }
  work_.NotifyAll();
}

void EndsWatch::Take(const EndsAnswer& answer) {
  std::lock_guard lock(mutex_);
  Keep(answer, nullptr);
}

std::map<int32_t, int64_t> EndsWatch::CompleteThrough(
    const std::string& topic_id, const std::map<int32_t, int64_t>& read) const {
  std::map<int32_t, int64_t> complete;
  std::lock_guard lock(mutex_);
  if (topic_id != topic_id_) return complete;
  for (const auto& [partition, next] : read) {
    const auto seen = seen_.find(partition);
    if (seen == seen_.end()) continue;
    if (const auto through = seen->second.CompleteThrough(next)) complete[partition] = *through;
  }
  return complete;
}

// A log that ends below what has been read of it was cut: it no longer shows what Kafka held.
void EndsWatch::Keep(const EndsAnswer& answer, const Question* question) {
  if (question != nullptr && question->topic_id != answer.topic.id) return;
  if (topic_id_ != answer.topic.id) seen_.clear();
  topic_id_ = answer.topic.id;
  for (const auto& [partition, span] : answer.topic.spans) {
    if (!span.ok()) continue;
    if (question != nullptr && span->end < question->read.at(partition)) continue;
    seen_[partition].Add(answer.asked_at_ms, span->end);
  }
}

void EndsWatch::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.Wait(&lock, [this] { return stopping_ || question_; });
    if (stopping_) return;
    const Question question = *std::exchange(question_, std::nullopt);
    lock.unlock();
    std::vector<int32_t> partitions;
    for (const auto& [partition, next] : question.read) partitions.push_back(partition);
    const int64_t now_ms = WallClockMillis();
    Result<TopicSpans> topic = ReadTopicSpans(topics_, topic_, partitions);
    lock.lock();
    // Whoever reads the topic reports that no broker answers; here the time just stands still.
    if (topic.ok()) Keep({.asked_at_ms = now_ms, .topic = *std::move(topic)}, &question);
  }
}

}  // namespace shopstream::ingest
