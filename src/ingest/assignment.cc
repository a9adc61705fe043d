#include "ingest/assignment.h"

#include <algorithm>
#include <utility>

#include "base/error_kind.h"
#include "base/log.h"
#include "tables/progress.h"

namespace shopstream::ingest {
namespace {

constexpr Millis kFirstWait{2000};
constexpr Millis kLongestWait{30'000};
constexpr int kRestPerQuestion = 10;  // Times its duration.
constexpr Millis kTryHeldEvery{60'000};
constexpr Millis kAskOfSilentLeaderEvery{300'000};
constexpr Millis kLookEvery{5000};

}  // namespace

PartitionProgress* Assignment::Find(int32_t partition) {
  const auto found = partitions_.find(partition);
  return found == partitions_.end() ? nullptr : &found->second;
}

std::vector<int32_t> Assignment::Numbers() const {
  std::vector<int32_t> numbers;
  for (const auto& [partition, progress] : partitions_) numbers.push_back(partition);
  return numbers;
}

std::vector<int32_t> Assignment::Stopped() const {
  std::vector<int32_t> stopped;
  for (const auto& [partition, progress] : partitions_) {
    if (progress.stopped()) stopped.push_back(partition);
  }
  return stopped;
}

std::map<int32_t, int64_t> Assignment::ReadUpTo() const {
  std::map<int32_t, int64_t> read;
  for (const auto& [partition, progress] : partitions_) {
    if (progress.reading() && !checks_.Runs(partition)) read[partition] = progress.next();
  }
  return read;
}

std::map<int32_t, std::string> Assignment::Missing() const {
  std::map<int32_t, std::string> missing;
  for (int32_t partition : checks_.Running()) {
    missing[partition] =
        "none of its records arrive, so it is unknown whether its history is intact";
  }
  for (const auto& [partition, waiting] : waiting_) missing[partition] = waiting.why;
  for (const auto& [partition, held] : held_) {
    missing[partition] = "offset " + std::to_string(held.offset) + " cannot be read: " + held.why;
  }
  for (const auto& [partition, progress] : partitions_) {
    if (progress.reading()) missing.try_emplace(partition, "no more of its records arrive");
  }
  return missing;
}

std::set<int32_t> Assignment::BusyWith(const lake::Snapshot& bronze, bool blocked) const {
  std::set<int32_t> busy;
  for (const auto& [partition, progress] : partitions_) {
    const auto txn = bronze.Txn(tables::ProgressAppId(starts_->topic_id(), partition));
    const bool unsaved = progress.next() > txn.value_or(progress.begin());
    if (blocked || progress.has_notice() || unsaved) busy.insert(partition);
  }
  return busy;
}

void Assignment::Add(int32_t partition) {
  partitions_[partition] = PartitionProgress();
  stats_->Assign(partition);
}

void Assignment::Remove(int32_t partition) {
  partitions_.erase(partition);
  checks_.Forget(partition);
  waiting_.erase(partition);
  held_.erase(partition);
  replaced_at_.erase(partition);
  stuck_.Forget(partition);
  stats_->Forget(partition);
}

Status Assignment::Start(const std::vector<StartPosition>& starts, Client client,
                         BootClock::time_point now) {
  std::vector<kafka::PartitionOffset> offsets;
  std::vector<int32_t> fetched, not_fetched;
  for (StartPosition start : starts) {
    ARROW_RETURN_NOT_OK(Announce(start, topic_, starts_->topic_id()));
    const int32_t partition = start.partition;
    if (start.stop.at_ms == 0) start.stop.at_ms = WallClockMillis();
    PartitionProgress& progress = partitions_[partition] = PartitionProgress(start);
    // The group needs its answer even if the start is unknown: assigned, but not read.
    const bool unknown = start.verdict == StartPosition::Verdict::kUnknownYet;
    offsets.push_back({partition, unknown ? kafka::kOffsetBeginning : checks_.Start(start, now)});
    (progress.reading() && !paused_ ? fetched : not_fetched).push_back(partition);
    if (unknown) held_.erase(partition);
    stats_->SetStopped(partition, progress.stopped() || held_.contains(partition));
    stuck_.Heard(partition, now);
    if (unknown) {
      Wait(partition, start.why, now, Millis{0});
    } else if (waiting_.erase(partition) > 0) {
      Log::Info("Partition {} of {} is read now.", partition, topic_);
    }
  }
  ARROW_RETURN_NOT_OK(client == Client::kAssigns ? source_->Assign(offsets)
                                                 : source_->Restart(offsets));
  // The client remembers that a partition was paused, even while it was not ours.
  if (!fetched.empty()) ARROW_RETURN_NOT_OK(source_->Resume(fetched));
  return not_fetched.empty() ? Status::OK() : source_->Pause(not_fetched);
}

void Assignment::StopReading() {
  for (auto& [partition, progress] : partitions_) progress.StopReading();
  checks_.ForgetAll();
}

// A check that has just let the client seek must not be paused: the client would resume where it
// was before the seek.
Status Assignment::SetPaused(bool paused) {
  paused_ = paused;
  std::vector<int32_t> partitions;
  for (const auto& [partition, progress] : partitions_) {
    if (progress.reading() && !(paused && checks_.Runs(partition))) partitions.push_back(partition);
  }
  if (partitions.empty()) return Status::OK();
  return paused ? source_->Pause(partitions) : source_->Resume(partitions);
}

// ---- the results of a poll

Result<std::string> Assignment::Examine(kafka::PollResult* polled, BootClock::time_point now) {
  const auto reading = [this](int32_t partition) {
    const PartitionProgress* progress = Find(partition);
    return progress != nullptr && progress->reading();
  };
  Hear(*polled, now);
  std::string restart;
  HistoryChecks::Findings findings = checks_.Look(polled);
  for (const auto& [partition, stop] : findings.failed) {
    ARROW_RETURN_NOT_OK(Stop(partition, stop));
  }
  if (paused_ && !findings.passed.empty()) ARROW_RETURN_NOT_OK(source_->Pause(findings.passed));
  for (int32_t partition : findings.stale) {
    restart = "Kafka's log of partition " + std::to_string(partition) + " changes";
  }
  for (const kafka::CorruptBatch& batch : polled->corrupt) {
    if (!reading(batch.partition)) continue;
    ARROW_RETURN_NOT_OK(Hold(batch.partition, batch.offset, batch.reason, now));
  }
  for (int32_t partition : polled->truncated) {
    if (!reading(partition)) continue;
    restart = "Kafka's log of partition " + std::to_string(partition) + " was cut";
  }
  for (int32_t partition : polled->out_of_range) {
    if (!reading(partition)) continue;
    restart = "Kafka does not hold the next offset of partition " + std::to_string(partition);
  }
  return restart;
}

void Assignment::Hear(const kafka::PollResult& polled, BootClock::time_point now) {
  int32_t run = -1;  // Records come in runs of one partition.
  const auto heard = [&](int32_t partition, int64_t offset) {
    stuck_.Heard(partition, now);
    const auto held = held_.find(partition);
    if (held == held_.end() || offset < held->second.offset) return;
    Log::Info("Partition {} of {} can be read again, from offset {} on.", partition, topic_,
              offset);
    held_.erase(held);
    stats_->SetStopped(partition, false);
  };
  for (const kafka::RecordView& record : polled.batch.records) {
    if (record.partition == run) continue;
    run = record.partition;
    heard(record.partition, record.offset);
  }
  for (const kafka::PartitionOffset& end : polled.ends) heard(end.partition, end.offset);
}

Status Assignment::Stop(int32_t partition, tables::Stop stop) {
  PartitionProgress* const progress = Find(partition);
  if (progress == nullptr) return Status::OK();
  if (stop.at_ms == 0) stop.at_ms = WallClockMillis();
  progress->Stop(stop);
  checks_.Forget(partition);
  stats_->SetStopped(partition, true);
  LogStopped(partition, topic_, stop);
  return source_->Pause({partition});
}

bool Assignment::IsReplaced(const PartitionProgress& progress, const kafka::RecordView& record) {
  if (record.leader_epoch < 0 || record.leader_epoch >= progress.last_epoch()) return false;
  const auto [at, first] = replaced_at_.try_emplace(record.partition, record.offset);
  return first || std::exchange(at->second, record.offset) != record.offset;
}

// ---- partitions that wait alone

void Assignment::Wait(int32_t partition, const std::string& why, BootClock::time_point now,
                      Millis asked_for) {
  Waiting& waiting = waiting_[partition];
  if (waiting.why != why) {
    Log::Warn("Partition {} of {} is not read yet: {}. The others are; this one is tried again.",
              partition, topic_, why);
  }
  waiting.why = why;
  waiting.pause = std::clamp(waiting.pause * 2, kFirstWait, kLongestWait);
  waiting.retry_at = now + std::max(waiting.pause, asked_for * kRestPerQuestion);
}

Result<Assignment::Unread> Assignment::StartWaiting(BootClock::time_point now) {
  std::vector<int32_t> due;
  for (const auto& [partition, waiting] : waiting_) {
    if (now >= waiting.retry_at) due.push_back(partition);
  }
  if (due.empty()) return Unread{};
  const std::string topic_id_before = starts_->topic_id();
  const BootClock::time_point asked = BootClock::now();
  Result<std::vector<StartPosition>> starts = starts_->Find(due);
  const auto asked_for = std::chrono::duration_cast<Millis>(BootClock::now() - asked);
  if (!starts.ok()) {
    const ErrorKind kind = KindOf(starts.status());
    if (kind != ErrorKind::kUnavailable && kind != ErrorKind::kGone) return starts.status();
    for (int32_t partition : due) Wait(partition, starts.status().message(), now, asked_for);
    return Unread{};
  }
  if (starts_->topic_id() != topic_id_before)
    return Unread{.restart = "the topic was created again"};
  std::erase_if(*starts, [&](const StartPosition& start) {
    if (start.verdict != StartPosition::Verdict::kUnknownYet) return false;
    Wait(start.partition, start.why, now, asked_for);
    return true;
  });
  if (starts->empty()) return Unread{};
  ARROW_RETURN_NOT_OK(Start(*starts, Client::kRestarts, now));
  return Unread{.started = true};
}

// Asks Kafka, because an open transaction, or a leader that is gone, looks the same.
Status Assignment::HoldStuck(BootClock::time_point now) {
  // Silence counts only while this loop listens: not while it was blocked, or the machine slept.
  const bool listened = now - std::exchange(stuck_looked_at_, now) < kLookEvery * 3;
  std::vector<int32_t> silent;
  for (const auto& [partition, progress] : partitions_) {
    const bool behind =
        progress.reading() && !paused_ && source_->CachedEnd(partition) > progress.next();
    if (!listened) stuck_.Heard(partition, now);
    if (stuck_.IsStuck(partition, behind, now)) silent.push_back(partition);
  }
  if (silent.empty()) return Status::OK();
  const Result<TopicSpans> topic = starts_->ReadSpans(silent);
  if (!topic.ok() || topic->id != starts_->topic_id()) return Status::OK();
  for (const auto& [partition, span] : topic->spans) {
    if (!span.ok()) {
      stuck_.Heard(partition, now + kAskOfSilentLeaderEvery - StuckPartitions::kSilence);
      continue;
    }
    const int64_t next = partitions_.at(partition).next();
    if (span->end <= next) continue;
    ARROW_RETURN_NOT_OK(
        Hold(partition, next,
             "nothing arrives, although Kafka's log ends at " + std::to_string(span->end), now));
  }
  return Status::OK();
}

Status Assignment::Hold(int32_t partition, int64_t offset, const std::string& why,
                        BootClock::time_point now) {
  PartitionProgress* const progress = Find(partition);
  if (progress == nullptr) return Status::OK();
  const auto known = held_.find(partition);
  if (known == held_.end() || known->second.offset != offset) {
    Log::Error(
        "Partition {} of {} is not read beyond offset {}: {}. The batch there may be damaged on "
        "the leader's disk; if another replica is intact, move the leader. Otherwise go past it: "
        "`shopstream progress accept-loss {} --until OFFSET`, the first offset after it. It is "
        "tried again every minute.",
        partition, topic_, offset, why, partition);
  }
  held_[partition] = {.offset = offset, .why = why, .retry_at = now + kTryHeldEvery};
  stats_->SetStopped(partition, true);
  progress->Halt(offset);
  return source_->Pause({partition});
}

Status Assignment::RetryHeld(BootClock::time_point now) {
  for (auto& [partition, held] : held_) {
    PartitionProgress* const progress = Find(partition);
    if (now < held.retry_at || paused_ || progress == nullptr || progress->stopped()) continue;
    held.retry_at = now + kTryHeldEvery;
    stuck_.Heard(partition, now);
    progress->Continue();
    const int64_t from = checks_.Start(progress->Here(), now);
    ARROW_RETURN_NOT_OK(source_->Restart({{partition, from}}));
    ARROW_RETURN_NOT_OK(source_->Resume({partition}));
  }
  return Status::OK();
}

Result<bool> Assignment::IsDecided() const {
  if (held_.empty() && Stopped().empty()) return false;
  const auto bronze = starts_->bronze()->Refresh();
  if (!bronze.ok()) return IsUnavailable(bronze.status()) ? Result<bool>(false) : bronze.status();
  return std::ranges::any_of(partitions_, [&](const auto& item) {
    const auto& [partition, progress] = item;
    if (!progress.stopped() && !held_.contains(partition)) return false;
    return tables::ReadPartitionState((*bronze)->Txns(), starts_->topic_id(), partition).accepted !=
           progress.accepted();
  });
}

Result<Assignment::Unread> Assignment::LookAfterUnread(BootClock::time_point now) {
  ARROW_ASSIGN_OR_RAISE(Unread unread, StartWaiting(now));
  if (!unread.restart.empty() || now < look_at_) return unread;
  look_at_ = now + kLookEvery;
  for (int32_t partition : paused_ ? std::vector<int32_t>{} : checks_.Overdue(now)) {
    Log::Warn(
        "Partition {} of {} is not read yet: none of its records arrive, so it is unknown whether "
        "Kafka still has the history that the lake was read from.",
        partition, topic_);
  }
  ARROW_RETURN_NOT_OK(HoldStuck(now));
  ARROW_RETURN_NOT_OK(RetryHeld(now));
  ARROW_ASSIGN_OR_RAISE(const bool decided, IsDecided());
  if (decided) unread.restart = "an operator has decided about a partition that was not read";
  return unread;
}

// ---- cuts

bool Assignment::has_notice() const {
  return std::ranges::any_of(partitions_,
                             [](const auto& item) { return item.second.has_notice(); });
}

void Assignment::Seal(Cut* cut) {
  for (auto& [partition, progress] : partitions_) progress.Seal(cut);
}

void Assignment::ShowLag() {
  const std::string unreachable = source_->Unreachable();
  stats_->SetUnreachable(unreachable);
  for (const auto& [partition, progress] : partitions_) {
    const int64_t end = source_->CachedEnd(partition);
    std::optional<int64_t> lag;
    const bool known = unreachable.empty() && progress.reading() && end >= 0;
    if (known) lag = std::max<int64_t>(end - progress.next(), 0);
    stats_->SetLag(partition, lag);
  }
}

}  // namespace shopstream::ingest
