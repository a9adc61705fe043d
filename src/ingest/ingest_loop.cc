#include "ingest/ingest_loop.h"

#include <algorithm>
#include <utility>

#include "base/error_kind.h"
#include "base/log.h"

namespace shopstream::ingest {
namespace {

constexpr Millis kPollTimeout{50};
constexpr Millis kBlockedWait{20};
constexpr Millis kLookAtLakeEvery{100};
// Records between two memory checks; the bound is exceeded by at most this many.
constexpr size_t kRecordsPerMemoryCheck = 64;
// Bytes after which memory is checked in any case.
constexpr size_t kBytesPerMemoryCheck = 64 << 10;
constexpr Millis kBetweenRestarts{1000};

// Settles the partition of the current run before the run's records are gone.
struct SettledRun {
  PartitionProgress*& progress;
  void Settle() const {
    if (progress != nullptr) progress->Settle();
  }
  ~SettledRun() { Settle(); }
};

int64_t ValueBytes(const kafka::RecordBatch& batch) {
  int64_t bytes = 0;
  for (const kafka::RecordView& record : batch.records) {
    if (record.value) bytes += static_cast<int64_t>(record.value->size());
  }
  return bytes;
}

}  // namespace

IngestLoop::IngestLoop(IngestParts parts, IngestLimits limits)
    : parts_(std::move(parts)),
      limits_(limits),
      intake_(parts_.layout, parts_.schemas, parts_.sides),
      starts_(parts_.topics, parts_.topic, parts_.bronze, parts_.quarantine, parts_.sides),
      assignment_(&starts_, parts_.source, parts_.stats),
      completeness_(parts_.topics, &starts_, &assignment_),
      restart_backoff_(
          {.first = Millis{200}, .longest = Millis{5000}, .give_up_after = Millis{600'000}}) {}

Result<IngestEnd> IngestLoop::Run(bool until_caught_up, const std::function<bool()>& stop) {
  IngestEnd end;
  if (until_caught_up) {
    catch_up_.emplace(parts_.topics, parts_.topic);
    const Status set = catch_up_->SetTargets(stop);
    if (!set.ok() && stop()) return IngestEnd{.interrupted = true};
    ARROW_RETURN_NOT_OK(set);
    completeness_.Take(catch_up_->ends(), *parts_.bronze->snapshot());
  }
  ARROW_RETURN_NOT_OK(parts_.source->Subscribe());
  last_cut_ = BootClock::now() - limits_.cut.commit_interval;
  bool caught_up = false;
  while (!caught_up && !stop()) {
    ARROW_RETURN_NOT_OK(Step());
    if (!until_caught_up) continue;
    ARROW_ASSIGN_OR_RAISE(caught_up, CaughtUp());
  }
  end.interrupted = until_caught_up && !caught_up;
  ARROW_ASSIGN_OR_RAISE(end.flushed, Flush(CutReason::kStop));
  end.stopped = assignment_.Stopped();
  if (until_caught_up) {
    catch_up_->Describe(*parts_.bronze->snapshot(), assignment_.Missing(), &end);
  }
  if (!end.flushed) {
    Log::Warn("Stopped before the last rows were committed; they will be read again.");
  }
  parts_.source->Close();
  return end;
}

Status IngestLoop::Step() {
  ARROW_RETURN_NOT_OK(HandleReports());
  ARROW_RETURN_NOT_OK(RestartIfDue());
  ARROW_RETURN_NOT_OK(LookAfterUnread());
  ARROW_RETURN_NOT_OK(DecideParked());
  ARROW_ASSIGN_OR_RAISE(const Blocker blocker, TakePending());
  ShowProgress();
  completeness_.AskIfDue(BootClock::now());
  ARROW_RETURN_NOT_OK(CutIfDue());
  if (blocker != Blocker::kNone) return WaitWhileBlocked(blocker);
  blocked_since_.reset();
  if (!restart_needed_) ARROW_RETURN_NOT_OK(SetPaused(false, ""));
  return Poll(kPollTimeout);
}

// ---- records

Status IngestLoop::Poll(Millis timeout) {
  ARROW_ASSIGN_OR_RAISE(kafka::PollResult polled, parts_.source->Poll(timeout));
  ARROW_ASSIGN_OR_RAISE(const std::string restart, assignment_.Examine(&polled, BootClock::now()));
  const int64_t bytes = ValueBytes(polled.batch);
  const auto count = static_cast<int64_t>(polled.batch.records.size());
  if (count > 0) parts_.stats->OnRecords(count, bytes, BootClock::now());
  if (!polled.batch.records.empty() || !polled.ends.empty()) {
    pending_.push_back(
        {.batch = std::move(polled.batch), .ends = std::move(polled.ends), .bytes = bytes});
  }
  if (!restart.empty()) ScheduleRestart(restart);
  if (polled.topic_gone && !assignment_.empty()) ScheduleRestart("the topic no longer exists");
  for (const kafka::Rebalance& rebalance : polled.rebalances) {
    ARROW_RETURN_NOT_OK(HandleRebalance(rebalance));
  }
  return Status::OK();
}

Result<IngestLoop::Blocker> IngestLoop::TakePending() {
  while (!pending_.empty()) {
    Pending& first = pending_.front();
    const size_t taken_before = first.next;
    const BootClock::time_point begun = BootClock::now();
    ARROW_ASSIGN_OR_RAISE(const Blocker blocker, TakeBatch(&first));
    if (first.next > taken_before) parts_.stats->OnDecoded(BootClock::now() - begun);
    if (blocker == Blocker::kReplaced) {
      ScheduleRestart("Kafka's log of a partition was replaced while it was read");
      return Blocker::kNone;
    }
    if (blocker != Blocker::kNone) return blocker;
    AdvanceToEnds(pending_.front().ends);
    pending_.pop_front();
  }
  return Blocker::kNone;
}

Result<IngestLoop::Blocker> IngestLoop::TakeBatch(Pending* pending) {
  const BootClock::time_point now = BootClock::now();
  const std::vector<kafka::RecordView>& records = pending->batch.records;
  int32_t run = -1;  // Records come in runs of one partition.
  PartitionProgress* progress = nullptr;
  const SettledRun settled{progress};
  size_t unchecked_bytes = kBytesPerMemoryCheck;
  for (; pending->next < records.size(); ++pending->next) {
    const kafka::RecordView& record = records[pending->next];
    if (pending->next % kRecordsPerMemoryCheck == 0 || unchecked_bytes >= kBytesPerMemoryCheck) {
      unchecked_bytes = 0;
      if (intake_.filling().bytes() >= limits_.cut.filling_bytes) {
        ARROW_ASSIGN_OR_RAISE(const Blocker blocker, MakeRoom(CutReason::kMemory));
        if (blocker != Blocker::kNone) return blocker;
      }
    }
    // Any record may open one more, so an exact bound is checked before each record.
    if (intake_.filling().open_partitions() >= limits_.cut.open_partitions) [[unlikely]] {
      ARROW_ASSIGN_OR_RAISE(const Blocker blocker, MakeRoom(CutReason::kPartitions));
      if (blocker != Blocker::kNone) return blocker;
    }
    unchecked_bytes += record.value ? record.value->size() : 0;
    if (run != record.partition) {
      settled.Settle();
      progress = assignment_.Find(run = record.partition);
    }
    if (progress == nullptr || !progress->Awaits(record.offset)) continue;
    if (assignment_.IsReplaced(*progress, record)) [[unlikely]]
      return Blocker::kReplaced;
    const PartitionProgress::Skip skip = progress->Committed(record);
    if (skip == PartitionProgress::Skip::kOther) [[unlikely]] {
      ARROW_RETURN_NOT_OK(assignment_.Stop(
          run, {.reason = tables::StopReason::kOtherRecord, .kafka_offset = record.offset}));
      continue;
    }
    if (skip == PartitionProgress::Skip::kNo) {
      ARROW_ASSIGN_OR_RAISE(const Intake::Taken taken, intake_.Take(record, now));
      if (taken != Intake::Taken::kTaken) [[unlikely]] {
        WarnOfOutage();
        if (taken == Intake::Taken::kWait) return Blocker::kSchema;
      }
    }
    progress->Take(record);
    if (!filling_since_) filling_since_ = now;
  }
  return Blocker::kNone;
}

// Cuts to empty the filling cut.
Result<IngestLoop::Blocker> IngestLoop::MakeRoom(CutReason reason) {
  if (intake_.filling().has_parked()) return Blocker::kSchema;
  if (!parts_.writer->has_room()) return Blocker::kMemory;
  ARROW_RETURN_NOT_OK(Seal(reason));
  return Blocker::kNone;
}

Status IngestLoop::DecideParked() {
  const Status status = intake_.DecideParked(BootClock::now());
  WarnOfOutage();
  return status;
}

void IngestLoop::WarnOfOutage() {
  const std::optional<std::string> outage = intake_.TakeOutage();
  if (!outage || !parts_.stats->paused_why().empty()) return;
  Log::Warn(
      "Reading is paused, the schema registry does not answer: {}. Buffered records are kept.",
      *outage);
  parts_.stats->OnPaused(true, "registry");
}

// The client has seen every offset below these, including those that hold no record for us.
void IngestLoop::AdvanceToEnds(const std::vector<kafka::PartitionOffset>& ends) {
  for (const kafka::PartitionOffset& end : ends) {
    PartitionProgress* progress = assignment_.Find(end.partition);
    if (progress == nullptr || !progress->AdvanceTo(end.offset, end.leader_epoch)) continue;
    if (!filling_since_) filling_since_ = BootClock::now();
  }
}

// Short waits are for the writer or the registry; in longer ones the partitions are paused and the
// group still sees us poll. Records that slip in meanwhile queue up behind the pending ones.
Status IngestLoop::WaitWhileBlocked(Blocker blocker) {
  const BootClock::time_point now = BootClock::now();
  if (!blocked_since_) blocked_since_ = now;
  if (now - *blocked_since_ < limits_.pause_after) {
    parts_.writer->WaitForReport(kBlockedWait);
    return Status::OK();
  }
  ARROW_RETURN_NOT_OK(SetPaused(true, blocker == Blocker::kSchema ? "registry" : "storage"));
  return Poll(kPollTimeout);
}

int64_t IngestLoop::PendingBytes() const {
  int64_t bytes = 0;
  for (const Pending& pending : pending_) bytes += pending.bytes;
  return bytes;
}

Status IngestLoop::SetPaused(bool paused, const char* why) {
  if (!paused && !parts_.stats->paused_why().empty()) {
    Log::Info("Reading continues.");
    parts_.stats->OnPaused(false, "");
  }
  if (paused == paused_) return Status::OK();
  paused_ = paused;
  if (!paused) return assignment_.SetPaused(false);
  Log::Info("Reading is paused: waiting for the {}.", why);
  parts_.stats->OnPaused(true, why);
  return assignment_.SetPaused(true);
}

// ---- cuts

void IngestLoop::ShowProgress() {
  assignment_.ShowLag();
  parts_.stats->SetBuffered(intake_.filling().bytes() + PendingBytes() +
                            parts_.writer->bytes_in_flight());
}

Status IngestLoop::CutIfDue() {
  if (!assignment_.has_notice()) {
    notice_since_.reset();
  } else if (!notice_since_) {
    notice_since_ = BootClock::now();
  }
  const CutBuilder& cut = intake_.filling();
  if (!parts_.writer->has_room() || cut.has_parked()) return Status::OK();
  const Filling filling = {.fullest_value_rows = cut.fullest_value_rows(),
                           .bytes = cut.bytes(),
                           .open_partitions = cut.open_partitions(),
                           .since = filling_since_,
                           .notice_since = notice_since_,
                           .advances = completeness_.AdvancesBy(limits_.cut.heartbeat)};
  const auto reason = DueCut(filling, limits_.cut, last_cut_, BootClock::now());
  if (reason) return Seal(*reason);
  const bool read = catch_up_ && catch_up_->targets().JustReadBy(assignment_.partitions());
  return read ? Seal(CutReason::kCaughtUp) : Status::OK();
}

// Hands everything read so far to the writer, which has room. Nothing of it is parked.
Status IngestLoop::Seal(CutReason reason) {
  filling_since_.reset();
  last_cut_ = BootClock::now();
  ARROW_ASSIGN_OR_RAISE(Cut cut, intake_.Finish());
  cut.epoch = epoch_;
  cut.topic = parts_.topic;
  cut.topic_id = starts_.topic_id();
  cut.sealed_at = last_cut_;
  cut.ingested_at_ms = WallClockMillis();
  assignment_.Seal(&cut);
  const bool empty = cut.progress.empty() && cut.stops.empty();
  if (!empty || completeness_.AdvancesBy(limits_.cut.heartbeat)) completeness_.Seal(&cut);
  if (catch_up_ && reason == CutReason::kStop) {
    completeness_.SealTargets(*parts_.bronze->snapshot(), limits_.cut.heartbeat, &cut);
  }
  if (empty && cut.complete.empty()) return Status::OK();
  parts_.stats->OnCut(reason);
  parts_.writer->Submit(std::move(cut));
  return Status::OK();
}

Result<bool> IngestLoop::Flush(CutReason reason) {
  const BootClock::time_point deadline = BootClock::now() + limits_.flush_timeout;
  bool sealed = false;
  while (true) {
    ARROW_RETURN_NOT_OK(HandleReports());
    if (restart_needed_) return false;
    ARROW_RETURN_NOT_OK(DecideParked());
    if (!sealed && parts_.writer->has_room() && !intake_.filling().has_parked()) {
      ARROW_RETURN_NOT_OK(Seal(reason));
      sealed = true;
    }
    if (sealed && parts_.writer->idle()) {
      ARROW_RETURN_NOT_OK(HandleReports());
      return !restart_needed_;
    }
    if (BootClock::now() >= deadline) return false;
    parts_.writer->WaitForReport(kBlockedWait);
  }
}

Status IngestLoop::HandleReports() {
  for (const CutReport& report : parts_.writer->TakeReports()) {
    ARROW_RETURN_NOT_OK(HandleReport(report));
  }
  return Status::OK();
}

Status IngestLoop::HandleReport(const CutReport& report) {
  ARROW_ASSIGN_OR_RAISE(CommittedCut committed, report.result);
  // For a cut abandoned before, only a commit matters; the rest was handled when it was dropped.
  const bool stale = report.cut.epoch < epoch_;
  switch (committed.outcome) {
    case CutOutcome::kCommitted: {
      parts_.stats->OnCommitted(report, WallClockMillis());
      std::vector<kafka::PartitionOffset> offsets;
      for (const CutProgress& progress : report.cut.progress) {
        offsets.push_back({progress.range.partition, progress.range.end});
      }
      if (!offsets.empty()) parts_.source->CommitForDisplay(offsets);
      return AdoptTable();
    }
    case CutOutcome::kFenced:
      if (!stale) parts_.stats->OnFenced();
      break;
    case CutOutcome::kAbandoned:
      return Status::OK();
    case CutOutcome::kOutgrown:
    case CutOutcome::kTooOld:
    case CutOutcome::kTopicChanged:
      break;
  }
  if (!stale) ScheduleRestart(WhyReadAgain(committed.outcome));
  return Status::OK();
}

// ---- assignment

Status IngestLoop::HandleRebalance(const kafka::Rebalance& rebalance) {
  switch (rebalance.kind) {
    case kafka::Rebalance::Kind::kAssign:
      parts_.stats->OnRebalance("assigned");
      return OnAssigned(rebalance.partitions);
    case kafka::Rebalance::Kind::kRevoke:
      parts_.stats->OnRebalance("revoked");
      return OnRevoked(rebalance.partitions, /*lost=*/false);
    case kafka::Rebalance::Kind::kLost:
      parts_.stats->OnRebalance("lost");
      return OnRevoked(rebalance.partitions, /*lost=*/true);
  }
  return Status::OK();
}

Status IngestLoop::OnAssigned(const std::vector<int32_t>& partitions) {
  parts_.stats->OnJoined();
  // The group needs its answer even for partitions whose start is unknown: assigned, but not read.
  std::vector<kafka::PartitionOffset> anywhere;
  for (int32_t partition : partitions) {
    assignment_.Add(partition);
    anywhere.push_back({partition, kafka::kOffsetBeginning});
  }
  if (partitions.empty()) return parts_.source->Assign({});
  const std::string topic_id_before = starts_.topic_id();
  Result<std::vector<StartPosition>> starts = std::vector<StartPosition>();
  if (!restart_needed_) starts = starts_.Find(partitions);
  const bool same_topic = topic_id_before.empty() || topic_id_before == starts_.topic_id();
  if (starts.ok() && same_topic && !restart_needed_) {
    ARROW_RETURN_NOT_OK(assignment_.Start(*starts, Assignment::Client::kAssigns, BootClock::now()));
    return AdoptTable();
  }
  ARROW_RETURN_NOT_OK(parts_.source->Assign(anywhere));
  ARROW_RETURN_NOT_OK(parts_.source->Pause(partitions));
  ScheduleRestart(starts.ok() ? "the topic was created again" : starts.status().message());
  return Status::OK();
}

Status IngestLoop::OnRevoked(const std::vector<int32_t>& partitions, bool lost) {
  Result<bool> flushed = false;
  if (lost) {
    parts_.stats->OnSessionEnded();
    Log::Warn(
        "The group has ended our session: no heartbeat reached it in time, or it rebalanced "
        "without us. Our partitions may belong to another consumer now; uncommitted rows are "
        "dropped and will be read again.");
  } else {
    flushed = Flush(CutReason::kRevoke);
  }
  for (int32_t partition : partitions) assignment_.Remove(partition);
  ARROW_RETURN_NOT_OK(parts_.source->Unassign(partitions));
  ARROW_RETURN_NOT_OK(flushed);
  if (*flushed) return Status::OK();
  DropEverything();
  if (!assignment_.empty() && !restart_needed_) {
    ScheduleRestart("partitions were revoked before their rows were committed");
  }
  return Status::OK();
}

void IngestLoop::DropEverything() {
  ++epoch_;
  parts_.writer->AbandonBefore(epoch_);
  intake_.Drop();
  pending_.clear();
  filling_since_.reset();
  assignment_.StopReading();
}

void IngestLoop::ScheduleRestart(const std::string& why) {
  if (restart_needed_) return;
  Log::Info("Reading restarts from the lake's offsets: {}.", why);
  DropEverything();
  restart_needed_ = true;
  restart_at_ = std::max(BootClock::now(), last_restart_ + kBetweenRestarts);
}

Status IngestLoop::RestartIfDue() {
  if (!restart_needed_ || BootClock::now() < restart_at_) return Status::OK();
  const std::vector<int32_t> partitions = assignment_.Numbers();
  Result<std::vector<StartPosition>> starts = std::vector<StartPosition>{};
  if (!partitions.empty()) starts = starts_.Find(partitions);
  if (!starts.ok()) {
    // Storage, brokers and a topic may come back; a table that forbids our writes stays that way.
    const ErrorKind kind = KindOf(starts.status());
    if (kind != ErrorKind::kUnavailable && kind != ErrorKind::kGone) return starts.status();
    std::optional<Millis> pause = restart_backoff_.Next(BootClock::now());
    if (!pause) return starts.status();
    Log::Warn("Assigned, but not reading yet: {}. Retrying in {} ms.", starts.status().message(),
              pause->count());
    parts_.stats->OnPaused(true, "lake or brokers");
    restart_at_ = BootClock::now() + *pause;
    return parts_.source->Pause(partitions);
  }
  ARROW_RETURN_NOT_OK(intake_.StartFrom(*parts_.bronze->snapshot()));
  restart_backoff_.Reset();
  restart_needed_ = false;
  last_restart_ = BootClock::now();
  // Records polled since the drop are beyond the new start positions.
  pending_.clear();
  if (partitions.empty()) return Status::OK();
  paused_ = false;
  ARROW_RETURN_NOT_OK(assignment_.SetPaused(false));
  return assignment_.Start(*starts, Assignment::Client::kRestarts, last_restart_);
}

Status IngestLoop::AdoptTable() {
  ARROW_ASSIGN_OR_RAISE(const bool adopted, intake_.Adopt(*parts_.bronze->snapshot()));
  if (!adopted) ScheduleRestart("another consumer gave a new field another type");
  return Status::OK();
}

Status IngestLoop::LookAfterUnread() {
  if (restart_needed_) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const Assignment::Unread unread,
                        assignment_.LookAfterUnread(BootClock::now()));
  if (!unread.restart.empty()) ScheduleRestart(unread.restart);
  return unread.started ? AdoptTable() : Status::OK();
}

// ---- until caught up

Result<bool> IngestLoop::CaughtUp() {
  const BootClock::time_point now = BootClock::now();
  if (now < look_at_lake_at_) return false;
  look_at_lake_at_ = now + kLookAtLakeEvery;
  if (!starts_.topic_id().empty() && starts_.topic_id() != catch_up_->topic_id()) {
    const Status set = catch_up_->SetTargets([] { return true; });
    if (!set.ok()) return IsUnavailable(set) ? Result<bool>(false) : set;
  }
  Result<std::shared_ptr<const lake::Snapshot>> snapshot = parts_.bronze->Refresh();
  if (!snapshot.ok()) {
    Log::Warn("Cannot read the lake: {}", snapshot.status().message());
    return false;
  }
  const auto busy = assignment_.BusyWith(**snapshot, restart_needed_ || paused_);
  return catch_up_->IsDone(**snapshot, busy, now);
}

}  // namespace shopstream::ingest
