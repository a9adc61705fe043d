#include "ingest/cut_committer.h"

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

#include "base/error_kind.h"
#include "base/json.h"
#include "base/log.h"
#include "ingest/cut_files.h"
#include "ingest/table_growth.h"
#include "lake/delta/retention.h"
#include "tables/partition_state.h"
#include "tables/progress.h"

namespace shopstream::ingest {
namespace {

// Whether the partition is where the cut expects it, and has not been stopped, or continued with a
// loss, since: a consumer that fell behind must not write past either.
bool IsAsRead(const lake::Snapshot& bronze, const Cut& cut, int32_t partition,
              std::optional<int64_t> fence, std::optional<int64_t> accepted) {
  const tables::PartitionState state =
      tables::ReadPartitionState(bronze.Txns(), cut.topic_id, partition);
  return state.next == fence && state.accepted == accepted && !state.stopped();
}

// Whether every partition of the cut is as it was when the cut was read.
bool BronzeStandsAt(const lake::Snapshot& bronze, const Cut& cut) {
  return std::ranges::all_of(cut.progress,
                             [&](const CutProgress& progress) {
                               return IsAsRead(bronze, cut, progress.range.partition,
                                               progress.fence, progress.accepted);
                             }) &&
         std::ranges::all_of(cut.stops, [&](const CutStop& stop) {
           return IsAsRead(bronze, cut, stop.partition, stop.fence, stop.accepted);
         });
}

bool QuarantineStandsAt(const lake::Snapshot& quarantine, const Cut& cut) {
  return std::ranges::all_of(cut.progress, [&](const CutProgress& progress) {
    return quarantine.Txn(tables::ProgressAppId(cut.topic_id, progress.range.partition)) ==
           progress.quarantine_fence;
  });
}

// Whether Bronze has what the cut publishes.
bool StandsAtEnd(const lake::Snapshot& bronze, const Cut& cut) {
  const auto state = [&](int32_t partition) {
    return tables::ReadPartitionState(bronze.Txns(), cut.topic_id, partition);
  };
  return std::ranges::all_of(cut.progress,
                             [&](const CutProgress& progress) {
                               return state(progress.range.partition).next == progress.range.end;
                             }) &&
         std::ranges::all_of(cut.stops, [&](const CutStop& stop) {
           return state(stop.partition).stop.reason == stop.stop.reason;
         });
}

nlohmann::json ToJson(const std::vector<OffsetRange>& ranges) {
  nlohmann::json list = nlohmann::json::array();
  for (const OffsetRange& range : ranges) {
    list.push_back({{"partition", range.partition}, {"begin", range.begin}, {"end", range.end}});
  }
  return list;
}

// Commit details for readers of the log: the offsets, and those lost before them.
nlohmann::json CommitInfo(const Cut& cut) {
  std::vector<OffsetRange> ranges;
  for (const CutProgress& progress : cut.progress) ranges.push_back(progress.range);
  nlohmann::json info = {
      {"kafkaTopic", cut.topic}, {"kafkaTopicId", cut.topic_id}, {"kafkaOffsets", ToJson(ranges)}};
  if (!cut.lost.empty()) info["expiredBeforeIngest"] = ToJson(cut.lost);
  return info;
}

std::map<std::string, int64_t> Progress(const Cut& cut) {
  std::map<std::string, int64_t> txns;
  for (const CutProgress& progress : cut.progress) {
    txns[tables::ProgressAppId(cut.topic_id, progress.range.partition)] = progress.range.end;
  }
  return txns;
}

// The state that Bronze keeps besides the progress, if the table does not have it yet.
std::map<std::string, int64_t> BronzeTxns(const Cut& cut, const lake::Snapshot& bronze) {
  std::map<std::string, int64_t> txns = Progress(cut);
  for (const CutProgress& progress : cut.progress) {
    tables::Put(cut.topic_id, progress.range.partition, progress.position, &txns);
  }
  for (const CutStop& stop : cut.stops) {
    tables::Put(cut.topic_id, stop.partition, stop.stop, &txns);
  }
  for (const OffsetRange& lost : cut.lost) tables::PutLost(cut.topic_id, lost, &txns);
  tables::DropKnown(bronze.Txns(), &txns);
  return txns;
}

// Never moves backwards: after a crash between the two commits quarantine is ahead of Bronze, and
// its txn is how a reader knows that rows beyond Bronze's may exist.
std::map<std::string, int64_t> QuarantineProgress(const Cut& cut) {
  std::map<std::string, int64_t> txns = Progress(cut);
  for (const CutProgress& progress : cut.progress) {
    int64_t& version = txns[tables::ProgressAppId(cut.topic_id, progress.range.partition)];
    version = std::max(version, progress.quarantine_fence.value_or(version));
  }
  return txns;
}

// The refusal carries the resulting outcome of the cut.
lake::Refusal Refuse(CutOutcome outcome, std::string why) {
  return {.why = std::move(why), .code = static_cast<int>(outcome)};
}

lake::Refusal Fenced() {
  return Refuse(CutOutcome::kFenced, "the table's txns are not those that the cut was read after");
}

Result<CutOutcome> FromCommit(const lake::CommitResult& result, const lake::Table& table) {
  switch (result.outcome) {
    case lake::CommitOutcome::kCommitted:
      return CutOutcome::kCommitted;
    case lake::CommitOutcome::kConflict:
      Log::Info("A commit to {} was refused: {}.", table.path(), result.detail);
      if (result.too_old) return CutOutcome::kTooOld;
      if (!result.refusal || !result.refusal->code) return CutOutcome::kFenced;
      return static_cast<CutOutcome>(*result.refusal->code);
    case lake::CommitOutcome::kUnknown:
      break;
  }
  // A retry is safe: if the lost commit took effect after all, the fence refuses the second one.
  return Unavailable("storage did not report whether a commit to ", table.path(),
                     " took effect: ", result.detail);
}

}  // namespace

// The work on one cut so far.
struct CutCommitter::Job {
  const Cut& cut;
  const std::function<bool()>& abandoned;
  std::vector<DataFile> bronze_files = {};
  std::vector<DataFile> quarantine_files = {};
  bool unsure = false;  // A commit to Bronze may or may not have taken effect.
  CommittedCut committed = {};

  Result<lake::ChangesOrRefusal> PrepareQuarantine(const lake::Snapshot& snapshot) const;
  Result<lake::ChangesOrRefusal> PrepareBronze(const lake::Snapshot& snapshot) const;
  // Without rows the table need not grow.
  Result<GrowthPlan> PlanGrowthFor(const lake::Snapshot& snapshot) const {
    if (cut.rows->num_rows() == 0) return GrowthPlan{};
    return PlanGrowth(snapshot, cut.layout, cut.partition_values);
  }
};

CutCommitter::CutCommitter(lake::Table* bronze, lake::Table* quarantine, TopicId topic_id,
                           Options options)
    : bronze_(bronze), quarantine_(quarantine), topic_id_(std::move(topic_id)), options_(options) {}

Result<CutOutcome> CutCommitter::RunStep(const char* what, Job* job,
                                         const std::function<Result<CutOutcome>()>& step) {
  Retry retry({.patience = options_.patience,
               .stop = StopToken(job->abandoned),
               .gave_up = std::string("Gave up trying to ") + what,
               .on_wait = [what](const Status& why, Millis pause) {
                 Log::Warn("Could not {}: {}. Retrying in {} ms; nothing is lost.", what,
                           why.message(), pause.count());
               }});
  const auto outcome = retry.Run(
      [&]() -> Result<CutOutcome> { return job->abandoned() ? CutOutcome::kAbandoned : step(); });
  // Stopping during a back-off pause leaves the error that was to be retried.
  if (!outcome.ok() && IsUnavailable(outcome.status()) && job->abandoned()) {
    return CutOutcome::kAbandoned;
  }
  return outcome;
}

Result<CutOutcome> CutCommitter::WriteFiles(Job* job) {
  if (job->cut.rows->num_rows() > 0 && job->bronze_files.empty()) {
    ARROW_ASSIGN_OR_RAISE(job->bronze_files, WriteBronzeFiles(bronze_->store(), job->cut));
  }
  if (!job->cut.quarantined.empty()) {
    ARROW_ASSIGN_OR_RAISE(job->quarantine_files,
                          WriteQuarantineFiles(quarantine_->store(), job->cut));
  }
  return CutOutcome::kCommitted;
}

// Offsets belong to a topic id. While Kafka's id for the topic is still the one the cut was read
// under, all of its records came from that topic: ids are never reused.
Result<CutOutcome> CutCommitter::CheckTopic(Job* job) {
  ARROW_ASSIGN_OR_RAISE(std::string now, topic_id_());
  return now == job->cut.topic_id ? CutOutcome::kCommitted : CutOutcome::kTopicChanged;
}

Result<lake::ChangesOrRefusal> CutCommitter::Job::PrepareQuarantine(
    const lake::Snapshot& snapshot) const {
  if (!QuarantineStandsAt(snapshot, cut)) return Fenced();
  lake::Changes changes;
  changes.adds = quarantine_files;
  changes.written_since = cut.sealed_at;
  changes.txns = QuarantineProgress(cut);
  changes.info = CommitInfo(cut);
  return changes;
}

Result<CutOutcome> CutCommitter::CommitQuarantine(Job* job) {
  // A consumer that lost its partitions should not quarantine records that Bronze will refuse.
  ARROW_ASSIGN_OR_RAISE(auto bronze, bronze_->Refresh());
  if (!BronzeStandsAt(*bronze, job->cut)) return CutOutcome::kFenced;
  ARROW_ASSIGN_OR_RAISE(const Millis max_age, lake::MaxCommitAge(bronze->properties()));
  if (BootClock::now() - job->cut.sealed_at >= max_age) return CutOutcome::kTooOld;
  // An error is left for Bronze's commit to return.
  const Result<GrowthPlan> plan = job->PlanGrowthFor(*bronze);
  if (plan.ok() && !plan->conflict.empty()) return CutOutcome::kOutgrown;
  ARROW_ASSIGN_OR_RAISE(
      lake::CommitResult result,
      quarantine_->Commit(
          [job](const lake::Snapshot& snapshot) { return job->PrepareQuarantine(snapshot); },
          BootClock::now() + options_.commit_deadline));
  return FromCommit(result, *quarantine_);
}

Result<lake::ChangesOrRefusal> CutCommitter::Job::PrepareBronze(
    const lake::Snapshot& snapshot) const {
  if (!BronzeStandsAt(snapshot, cut)) return Fenced();
  if (abandoned()) return Refuse(CutOutcome::kAbandoned, "the cut was abandoned");
  ARROW_ASSIGN_OR_RAISE(GrowthPlan plan, PlanGrowthFor(snapshot));
  if (!plan.conflict.empty()) {
    return Refuse(CutOutcome::kOutgrown, "its rows no longer fit the table: " + plan.conflict);
  }
  lake::Changes changes;
  changes.adds = bronze_files;
  changes.written_since = cut.sealed_at;
  changes.txns = BronzeTxns(cut, snapshot);
  changes.info = CommitInfo(cut);
  changes.growth = std::move(plan.growth);
  return changes;
}

Result<CutOutcome> CutCommitter::CommitBronze(Job* job) {
  // A row of this cut may have been quarantined by a consumer that fell behind: verdicts differ if
  // two consumers saw the table at different times. The partition's current owner continues from
  // the progress in both tables.
  if (job->cut.quarantined.empty() && !job->unsure) {
    ARROW_ASSIGN_OR_RAISE(const auto quarantine, quarantine_->Refresh());
    if (!QuarantineStandsAt(*quarantine, job->cut)) return CutOutcome::kFenced;
  }
  const BootClock::time_point start = BootClock::now();
  ARROW_ASSIGN_OR_RAISE(lake::CommitResult result, bronze_->Commit(
                                                       [job](const lake::Snapshot& snapshot) {
                                                         return job->PrepareBronze(snapshot);
                                                       },
                                                       start + options_.commit_deadline));
  job->committed.version = result.version;
  job->committed.log_latency = std::chrono::duration_cast<Millis>(BootClock::now() - start);
  if (result.outcome == lake::CommitOutcome::kUnknown) job->unsure = true;
  // The conflicting commit may be our own, whose reply was lost.
  if (result.outcome == lake::CommitOutcome::kConflict && job->unsure &&
      StandsAtEnd(*bronze_->snapshot(), job->cut)) {
    return CutOutcome::kCommitted;
  }
  return FromCommit(result, *bronze_);
}

Result<CommittedCut> CutCommitter::Commit(const Cut& cut, const std::function<bool()>& abandoned) {
  // Checked again for the version that the commit builds on; here, before anything is written.
  const auto max_age = lake::MaxCommitAge(bronze_->snapshot()->properties());
  if (!max_age.ok()) {
    return max_age.status().WithMessage("table ", bronze_->path(), ": ",
                                        max_age.status().message());
  }
  Job job{.cut = cut, .abandoned = abandoned};
  struct Step {
    const char* what;
    bool needed;
    Result<CutOutcome> (CutCommitter::*run)(Job*);
  };
  const Step steps[] = {
      {"write data files", true, &CutCommitter::WriteFiles},
      {"ask Kafka for the topic's id", true, &CutCommitter::CheckTopic},
      {"commit quarantined records", !cut.quarantined.empty(), &CutCommitter::CommitQuarantine},
      {"commit to Bronze", true, &CutCommitter::CommitBronze},
  };
  for (const Step& step : steps) {
    if (!step.needed) continue;
    ARROW_ASSIGN_OR_RAISE(job.committed.outcome,
                          RunStep(step.what, &job, [&] { return (this->*step.run)(&job); }));
    if (job.committed.outcome != CutOutcome::kCommitted) return job.committed;
  }
  for (const auto* files : {&job.bronze_files, &job.quarantine_files}) {
    for (const DataFile& file : *files) {
      ++job.committed.files;
      job.committed.bytes += file.size_bytes;
    }
  }
  return job.committed;
}

}  // namespace shopstream::ingest
