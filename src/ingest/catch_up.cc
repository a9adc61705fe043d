#include "ingest/catch_up.h"

#include <utility>

#include "base/log.h"
#include "base/retry.h"
#include "ingest/start_positions.h"
#include "kafka/errors.h"
#include "tables/partition_state.h"

namespace shopstream::ingest {
namespace {

constexpr Millis kAskAgainEvery{5000};

}  // namespace

CatchUpTargets::CatchUpTargets(const std::vector<kafka::OffsetSpan>& spans) {
  for (const kafka::OffsetSpan& span : spans) Set(static_cast<int32_t>(std::ssize(targets_)), span);
}

void CatchUpTargets::Set(int32_t partition, std::optional<kafka::OffsetSpan> span) {
  if (partition >= std::ssize(targets_)) targets_.resize(partition + 1);
  // An empty partition has nothing to wait for, whatever its offsets.
  if (span) targets_[partition] = span->log_start == span->end ? 0 : span->end;
}

std::vector<int32_t> CatchUpTargets::Unknown() const {
  std::vector<int32_t> unknown;
  for (int32_t partition = 0; partition < std::ssize(targets_); ++partition) {
    if (!targets_[partition]) unknown.push_back(partition);
  }
  return unknown;
}

std::map<int32_t, std::optional<int64_t>> CatchUpTargets::Unreached(
    const lake::Snapshot& bronze, const std::string& topic_id) const {
  std::map<int32_t, std::optional<int64_t>> unreached;
  for (int32_t partition = 0; partition < std::ssize(targets_); ++partition) {
    const auto state = tables::ReadPartitionState(bronze.Txns(), topic_id, partition);
    const std::optional<int64_t>& target = targets_[partition];
    const bool reached = target && state.next && *state.next >= *target;
    if (!reached && !state.stopped()) unreached[partition] = state.next;
  }
  return unreached;
}

std::vector<int32_t> CatchUpTargets::Stopped(const lake::Snapshot& bronze,
                                             const std::string& topic_id) const {
  std::vector<int32_t> stopped;
  for (int32_t partition = 0; partition < std::ssize(targets_); ++partition) {
    if (tables::ReadPartitionState(bronze.Txns(), topic_id, partition).stopped()) {
      stopped.push_back(partition);
    }
  }
  return stopped;
}

bool CatchUpTargets::JustReadBy(const std::map<int32_t, PartitionProgress>& partitions) const {
  bool uncut = false;
  for (const auto& [partition, progress] : partitions) {
    if (!progress.reading() || partition >= std::ssize(targets_)) continue;
    const std::optional<int64_t>& target = targets_[partition];
    if (!target) continue;
    if (progress.next() < *target) return false;
    uncut = uncut || progress.begin() < *target || progress.has_notice();
  }
  return uncut;
}

Status CatchUp::SetTargets(const std::function<bool()>& stop) {
  Retry retry(
      {.patience = {.first = Millis{200}, .longest = Millis{2000}, .give_up_after = kPatience},
       .stop = StopToken(stop),
       .on_wait = [](const Status& why, Millis) {
         Log::Warn("Waiting for Kafka: {}", why.message());
       }});
  return retry.Run([this] { return TakeEnds(); });
}

Status CatchUp::TakeEnds() {
  const int64_t now_ms = WallClockMillis();
  ARROW_ASSIGN_OR_RAISE(const auto topic, topics_->DescribeTopic(topic_, false));
  if (!topic) return kafka::NoSuchTopic(topic_, "");
  ARROW_ASSIGN_OR_RAISE(
      TopicSpans found,
      ReadTopicSpans(topics_, topic_, kafka::AllPartitions(topic->partitions.size())));
  targets_ = {};
  unanswered_.clear();
  unreached_.clear();
  for (const auto& [partition, span] : found.spans) {
    targets_.Set(partition, span.ok() ? std::optional(*span) : std::nullopt);
    if (!span.ok()) unanswered_[partition] = span.status().message();
  }
  ends_ = {.asked_at_ms = now_ms, .topic = std::move(found)};
  return Status::OK();
}

void CatchUp::AskAgain(BootClock::time_point now) {
  const std::vector<int32_t> unknown = targets_.Unknown();
  if (unknown.empty() || now < ask_again_at_) return;
  ask_again_at_ = now + kAskAgainEvery;
  const Result<TopicSpans> found = ReadTopicSpans(topics_, topic_, unknown);
  if (!found.ok() || found->id != topic_id()) return;
  for (const auto& [partition, span] : found->spans) {
    if (!span.ok()) {
      unanswered_[partition] = span.status().message();
      continue;
    }
    targets_.Set(partition, *span);
    unanswered_.erase(partition);
  }
}

bool CatchUp::IsDone(const lake::Snapshot& bronze, const std::set<int32_t>& busy,
                     BootClock::time_point now) {
  AskAgain(now);
  auto unreached = targets_.Unreached(bronze, topic_id());
  if (unreached.empty()) return true;
  const bool working = std::ranges::any_of(
      unreached, [&](const auto& partition) { return busy.contains(partition.first); });
  if (working || unreached != unreached_) {
    unmoved_since_ = now;
    unreached_ = std::move(unreached);
    return false;
  }
  return now - unmoved_since_ >= kPatience;
}

void CatchUp::Describe(const lake::Snapshot& bronze, const std::map<int32_t, std::string>& reasons,
                       IngestEnd* end) const {
  end->stopped = targets_.Stopped(bronze, topic_id());
  for (const auto& [partition, next] : targets_.Unreached(bronze, topic_id())) {
    // An earlier program that owns an empty partition never commits its first sight.
    if (targets_.IsEmpty(partition)) continue;
    std::string& why = end->missing[partition];
    if (const auto reason = reasons.find(partition); reason != reasons.end()) {
      why = reason->second;
    } else if (const auto silent = unanswered_.find(partition); silent != unanswered_.end()) {
      why = silent->second;
    } else {
      why = "the group has not assigned it to this consumer, and no other has made progress in it";
    }
  }
}

}  // namespace shopstream::ingest
