#include "ingest/history_check.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "kafka/record_hash.h"

namespace shopstream::ingest {
namespace {

constexpr Millis kVerdictOverdue{30'000};

using Step = HistoryCheck::Step;

tables::LastRecord Describe(const kafka::RecordView& record) {
  return {.offset = record.offset,
          .leader_epoch = record.leader_epoch,
          .timestamp_ms = record.timestamp_ms,
          .hash = kafka::ContentHash(record)};
}

// One partition's part of a poll.
struct Polled {
  const kafka::RecordView* first = nullptr;
  std::optional<int64_t> end;
  bool truncated = false;
};

Polled Find(const kafka::PollResult& polled, int32_t partition, int64_t from) {
  Polled found;
  for (const kafka::RecordView& record : polled.batch.records) {
    if (record.partition != partition || record.offset < from) continue;
    found.first = &record;
    break;
  }
  for (const kafka::PartitionOffset& end : polled.ends) {
    if (end.partition == partition && !found.end) found.end = end.offset;
  }
  found.truncated = std::ranges::find(polled.truncated, partition) != polled.truncated.end();
  return found;
}

// Nothing follows a truncation, and an end follows the records before it.
Step StepOf(HistoryCheck* check, const Polled& found) {
  if (found.truncated) return check->OnTruncated();
  if (found.first != nullptr) return check->OnRecord(*found.first);
  return found.end ? check->OnEnd(*found.end) : Step{};
}

// The messages of dropped records stay in the batch, which owns them.
void DropAllOf(int32_t partition, kafka::PollResult* polled) {
  std::erase_if(polled->batch.records,
                [&](const kafka::RecordView& record) { return record.partition == partition; });
  std::erase_if(polled->ends,
                [&](const kafka::PartitionOffset& end) { return end.partition == partition; });
}

}  // namespace

HistoryCheck::HistoryCheck(const StartPosition& start)
    : partition_(start.partition), last_(start.position.last), read_from_(start.offset) {
  const int64_t log_start = start.kafka.log_start;
  if (last_) read_from_ = std::max(last_->offset, log_start);
  last_must_exist_ = last_ && log_start <= last_->offset && !start.removes_records;
  validates_all_ = !last_ || start.begin > last_->offset + 1;
  // The epoch at the progress includes the markers that follow the last record. The last record's
  // own does not, and they may have a later epoch: it only proves the record itself.
  if (start.position.end_epoch >= 0) {
    validation_ = {partition_, std::max(start.begin, log_start), start.position.end_epoch};
  } else if (last_) {
    validation_ = {partition_, std::max(last_->offset + 1, log_start), last_->leader_epoch};
  } else {
    validation_ = {partition_, read_from_, -1};
  }
}

std::optional<HistoryCheck> HistoryCheck::For(const StartPosition& start) {
  if (start.verdict != StartPosition::Verdict::kRead) return std::nullopt;
  if (!start.position.last && start.position.end_epoch < 0) return std::nullopt;
  return HistoryCheck(start);
}

Step HistoryCheck::PassedBeyondLast() {
  if (validation_.leader_epoch < 0) return {.kind = Step::Kind::kPassed};
  validating_ = true;
  return {.kind = Step::Kind::kValidate, .at = validation_};
}

Step HistoryCheck::FoundOtherAt(int64_t offset) const {
  return {.kind = Step::Kind::kFailed,
          .at = {partition_, offset},
          .reason = tables::StopReason::kOtherRecord};
}

Step HistoryCheck::OnRecord(const kafka::RecordView& first) {
  if (validating_) return {.kind = Step::Kind::kPassed};
  if (!last_ || first.offset != last_->offset) {
    // Had it expired since, the broker would refuse the offset.
    return last_must_exist_ ? FoundOtherAt(last_->offset) : PassedBeyondLast();
  }
  if (!tables::MayBeSame(*last_, Describe(first))) return FoundOtherAt(first.offset);
  return validates_all_ ? PassedBeyondLast() : Step{.kind = Step::Kind::kPassed};
}

Step HistoryCheck::OnEnd(int64_t offset) {
  if (validating_) return {.kind = Step::Kind::kPassed};
  // The log was longer when the start was decided.
  const bool short_of_last = last_ ? offset <= last_->offset : offset < read_from_;
  if (short_of_last) return {.kind = Step::Kind::kStale};
  return last_must_exist_ ? FoundOtherAt(last_->offset) : PassedBeyondLast();
}

Step HistoryCheck::OnTruncated() {
  if (!validating_) return {.kind = Step::Kind::kStale};
  return {.kind = Step::Kind::kFailed,
          .at = {partition_, validation_.offset},
          .reason = tables::StopReason::kTruncated};
}

int64_t HistoryChecks::Start(const StartPosition& start, BootClock::time_point now) {
  checks_.erase(start.partition);
  const std::optional<HistoryCheck> check = HistoryCheck::For(start);
  if (!check) return start.offset;
  checks_.emplace(start.partition, Check{.check = *check, .since = now});
  return check->read_from();
}

HistoryChecks::Findings HistoryChecks::Look(kafka::PollResult* polled) {
  Findings findings;
  for (auto running = checks_.begin(); running != checks_.end();) {
    const int32_t partition = running->first;
    HistoryCheck& check = running->second.check;
    const Polled found = Find(*polled, partition, check.read_from());
    const Step step = StepOf(&check, found);
    std::erase(polled->truncated, partition);
    if (step.kind == Step::Kind::kPassed) {
      // Only the last record was read solely for the check.
      if (check.compares(found.first)) {
        polled->batch.records.erase(polled->batch.records.begin() +
                                    (found.first - polled->batch.records.data()));
      }
      truncated_once_.erase(partition);
      findings.passed.push_back(partition);
      running = checks_.erase(running);
      continue;
    }
    DropAllOf(partition, polled);
    const bool is_verdict = step.reason != tables::StopReason::kTruncated || IsConfirmed(step.at);
    if (step.kind == Step::Kind::kFailed && is_verdict) {
      findings.failed[partition] = {
          .reason = step.reason, .at_ms = WallClockMillis(), .kafka_offset = step.at.offset};
    } else if (step.kind == Step::Kind::kStale || step.kind == Step::Kind::kFailed ||
               (step.kind == Step::Kind::kValidate && !Validate(step.at))) {
      findings.stale.push_back(partition);
    } else {
      ++running;
      continue;
    }
    running = checks_.erase(running);
  }
  return findings;
}

bool HistoryChecks::Validate(const kafka::PartitionOffset& at) {
  const Status asked = source_->Validate(at);
  if (!asked.ok()) Log::Warn("{}", asked.message());
  return asked.ok();
}

bool HistoryChecks::IsConfirmed(const kafka::PartitionOffset& at) {
  const auto [known, first] = truncated_once_.try_emplace(at.partition, at.offset);
  return !first && std::exchange(known->second, at.offset) == at.offset;
}

std::vector<int32_t> HistoryChecks::Running() const {
  std::vector<int32_t> partitions;
  for (const auto& [partition, running] : checks_) partitions.push_back(partition);
  return partitions;
}

std::vector<int32_t> HistoryChecks::Overdue(BootClock::time_point now) {
  std::vector<int32_t> overdue;
  for (auto& [partition, running] : checks_) {
    if (running.named || now - running.since < kVerdictOverdue) continue;
    running.named = true;
    overdue.push_back(partition);
  }
  return overdue;
}

}  // namespace shopstream::ingest
