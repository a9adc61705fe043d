#include "ingest/cut_committer.h"

#include <algorithm>
#include <map>
#include <span>
#include <utility>
#include <variant>

#include "base/error_kind.h"
#include "base/json.h"
#include "base/log.h"
#include "ingest/cut_files.h"
#include "ingest/side_layout.h"
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

// The fence of a table that is committed before Bronze.
std::optional<int64_t> FenceOf(const CutProgress& progress, const std::string& table,
                               const std::string& quarantine) {
  if (table == quarantine) return progress.quarantine_fence;
  const auto found = progress.side_fences.find(table);
  return found == progress.side_fences.end() ? std::nullopt : std::optional(found->second);
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

// Whether the table, with these txns, has the partition that far.
bool HoldsIn(const lake::Snapshot& bronze, const Cut& cut,
             const std::map<std::string, int64_t>& txns, const CutComplete& complete) {
  const tables::PartitionState state =
      tables::ReadPartitionState(bronze.Txns(), cut.topic_id, complete.partition);
  const auto moved = txns.find(tables::ProgressAppId(cut.topic_id, complete.partition));
  const auto next = moved == txns.end() ? state.next : moved->second;
  return next && *next >= complete.end && !state.stopped();
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
  for (const CutComplete& complete : cut.complete) {
    if (!HoldsIn(bronze, cut, txns, complete)) continue;
    tables::PutCompleteThrough(cut.topic_id, complete.partition, complete.through_ms, &txns);
  }
  tables::DropKnown(bronze.Txns(), &txns);
  return txns;
}

// The refusal carries the resulting outcome of the cut.
lake::Refusal Refuse(CutOutcome outcome, std::string why) {
  return {.why = std::move(why), .code = static_cast<int>(outcome)};
}

lake::Refusal Outgrown(const std::string& conflict) {
  return Refuse(CutOutcome::kOutgrown, "its rows no longer fit the table: " + conflict);
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

const char* WhyReadAgain(CutOutcome outcome) {
  switch (outcome) {
    case CutOutcome::kFenced:
      return "another consumer or an operator changed one of our partitions; our rows are "
             "dropped";
    case CutOutcome::kOutgrown:
      return "the table has grown differently in the meantime";
    case CutOutcome::kTooOld:
      return "a cut waited too long for storage and is read again";
    default:
      return "the topic was deleted since its records were read";
  }
}

struct CutCommitter::First {
  lake::Table* table = nullptr;
  const TableRows* rows = nullptr;         // Null: the table is quarantine.
  const LayoutOptions* options = nullptr;  // Bronze's; with rows.
  std::vector<DataFile> files = {};

  std::optional<int64_t> Fence(const CutProgress& progress) const {
    return FenceOf(progress, table->path(), rows == nullptr ? table->path() : "");
  }
  Result<lake::ChangesOrRefusal> Prepare(const lake::Snapshot& snapshot, const Cut& cut) const;
};

// The work on one cut so far.
struct CutCommitter::Job {
  const Cut& cut;
  const std::function<bool()>& abandoned;
  const SideTables* sides = nullptr;
  std::vector<DataFile> bronze_files = {};
  std::vector<First> firsts = {};  // In the order of their commits.
  size_t committed_firsts = 0;
  bool unsure = false;  // A commit to Bronze may or may not have taken effect.
  CommittedCut committed = {};

  Result<lake::ChangesOrRefusal> PrepareBronze(const lake::Snapshot& snapshot) const;
  // Without rows the table need not grow.
  Result<GrowthPlan> PlanGrowthFor(const lake::Snapshot& snapshot) const {
    if (cut.bronze.rows->num_rows() == 0) return GrowthPlan{};
    return PlanGrowth(snapshot, cut.bronze.layout, cut.bronze.partition_values);
  }
};

CutCommitter::CutCommitter(lake::Table* bronze, lake::Table* quarantine, SideTables* sides,
                           TopicId topic_id, Options options)
    : bronze_(bronze),
      quarantine_(quarantine),
      sides_(sides),
      topic_id_(std::move(topic_id)),
      options_(options) {
  for (const char* step :
       {"open_tables", "write_files", "check_topic", "commit_others", "commit"}) {
    retries_.With({step});
  }
}

Result<CutOutcome> CutCommitter::RunStep(const char* name, const char* what, Job* job,
                                         const std::function<Result<CutOutcome>()>& step) {
  Retry retry({.patience = options_.patience,
               .stop = StopToken(job->abandoned),
               .gave_up = std::string("Gave up trying to ") + what,
               .on_wait = [this, name, what](const Status& why, Millis pause) {
                 retries_.With({name}).Add();
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

// Quarantine comes first, then the side tables by name.
Result<CutOutcome> CutCommitter::OpenSides(Job* job) {
  std::erase_if(job->firsts, [](const First& first) { return first.rows != nullptr; });
  for (const TableRows& rows : job->cut.sides) {
    const auto allows = [&](const lake::Snapshot& bronze) {
      return BronzeStandsAt(bronze, job->cut);
    };
    ARROW_ASSIGN_OR_RAISE(lake::Table* const table,
                          sides_->Provide(*rows.layout, bronze_, allows,
                                          BootClock::now() + options_.commit_deadline));
    if (table == nullptr) return CutOutcome::kOutgrown;
    job->firsts.push_back({.table = table, .rows = &rows, .options = &sides_->options()});
  }
  return CutOutcome::kCommitted;
}

Result<CutOutcome> CutCommitter::WriteFiles(Job* job) {
  const Cut& cut = job->cut;
  if (cut.bronze.rows->num_rows() > 0 && job->bronze_files.empty()) {
    ARROW_ASSIGN_OR_RAISE(job->bronze_files, WriteRowFiles(bronze_->store(), cut, cut.bronze));
  }
  for (First& first : job->firsts) {
    if (!first.files.empty()) continue;
    ARROW_ASSIGN_OR_RAISE(first.files, first.rows == nullptr
                                           ? WriteQuarantineFiles(first.table->store(), cut)
                                           : WriteRowFiles(first.table->store(), cut, *first.rows));
  }
  return CutOutcome::kCommitted;
}

// Offsets belong to a topic id. While Kafka's id for the topic is still the one the cut was read
// under, all of its records came from that topic: ids are never reused.
Result<CutOutcome> CutCommitter::CheckTopic(Job* job) {
  ARROW_ASSIGN_OR_RAISE(std::string now, topic_id_());
  return now == job->cut.topic_id ? CutOutcome::kCommitted : CutOutcome::kTopicChanged;
}

Result<lake::ChangesOrRefusal> CutCommitter::First::Prepare(const lake::Snapshot& snapshot,
                                                            const Cut& cut) const {
  lake::Changes changes;
  for (const CutProgress& progress : cut.progress) {
    const std::string app_id = tables::ProgressAppId(cut.topic_id, progress.range.partition);
    const std::optional<int64_t> fence = Fence(progress);
    if (snapshot.Txn(app_id) != fence) return Fenced();
    // Never moves backwards: after a crash between the two commits this table is ahead of Bronze,
    // and its txn is how a reader knows that rows beyond Bronze's may exist.
    changes.txns[app_id] = std::max(progress.range.end, fence.value_or(progress.range.end));
  }
  changes.adds = files;
  changes.written_since = cut.sealed_at;
  changes.info = CommitInfo(cut);
  if (rows == nullptr) return changes;
  ARROW_ASSIGN_OR_RAISE(GrowthPlan plan,
                        PlanSideGrowth(*options, snapshot, rows->layout, rows->partition_values));
  if (!plan.conflict.empty()) return Outgrown(plan.conflict);
  changes.growth = std::move(plan.growth);
  return changes;
}

// A record of this cut may have been committed to another table by a consumer that fell behind:
// verdicts differ if two consumers saw the tables or the registry at different times. Which side
// table a record belongs to never differs, so these matter only if the cut quarantines a record.
// The first `own` of the cut's tables need no check: their commits have one.
Result<bool> CutCommitter::OthersStandAt(const Job& job, size_t own) {
  std::vector<lake::Table*> others;
  if (job.cut.quarantined.empty()) others.push_back(quarantine_);
  if (sides_ != nullptr) {
    auto bronze = bronze_->snapshot();
    // Only a newer version names a side table that was added since the cut was read.
    if (others.empty()) {
      ARROW_ASSIGN_OR_RAISE(bronze, bronze_->Refresh());
    }
    ARROW_RETURN_NOT_OK(sides_->OpenAnnounced(*bronze));
    if (others.empty()) others = sides_->Open();
  }
  for (lake::Table* table : others) {
    const auto is_table = [&](const First& first) { return first.table == table; };
    if (std::ranges::any_of(std::span(job.firsts).first(own), is_table)) continue;
    ARROW_ASSIGN_OR_RAISE(const auto snapshot, table->Refresh());
    for (const CutProgress& progress : job.cut.progress) {
      const auto txn =
          snapshot->Txn(tables::ProgressAppId(job.cut.topic_id, progress.range.partition));
      if (txn != FenceOf(progress, table->path(), quarantine_->path())) return false;
    }
  }
  return true;
}

Result<CutOutcome> CutCommitter::CommitOthers(Job* job) {
  if (job->committed_firsts == 0) {
    ARROW_ASSIGN_OR_RAISE(const bool others, OthersStandAt(*job, 1));
    if (!others) return CutOutcome::kFenced;
  }
  while (job->committed_firsts < job->firsts.size()) {
    ARROW_ASSIGN_OR_RAISE(const CutOutcome outcome,
                          CommitFirst(job->firsts[job->committed_firsts], job));
    if (outcome != CutOutcome::kCommitted) return outcome;
    ++job->committed_firsts;
  }
  return CutOutcome::kCommitted;
}

Result<CutOutcome> CutCommitter::CommitFirst(const First& first, Job* job) {
  // A consumer that lost its partitions should not commit records that Bronze will refuse.
  ARROW_ASSIGN_OR_RAISE(auto bronze, bronze_->Refresh());
  if (!BronzeStandsAt(*bronze, job->cut)) return CutOutcome::kFenced;
  ARROW_ASSIGN_OR_RAISE(const Millis max_age, lake::MaxCommitAge(bronze->properties()));
  if (BootClock::now() - job->cut.sealed_at >= max_age) return CutOutcome::kTooOld;
  // An error is left for Bronze's commit to return.
  const Result<GrowthPlan> plan = job->PlanGrowthFor(*bronze);
  if (plan.ok() && !plan->conflict.empty()) return CutOutcome::kOutgrown;
  ARROW_ASSIGN_OR_RAISE(
      const lake::CommitResult result,
      first.table->Commit(
          [&](const lake::Snapshot& snapshot) { return first.Prepare(snapshot, job->cut); },
          BootClock::now() + options_.commit_deadline));
  CountConflicts(result);
  return FromCommit(result, *first.table);
}

void CutCommitter::CountConflicts(const lake::CommitResult& result) {
  conflicts_.Add(std::max(result.attempts - 1, 0));
}

Result<lake::ChangesOrRefusal> CutCommitter::Job::PrepareBronze(
    const lake::Snapshot& snapshot) const {
  if (!BronzeStandsAt(snapshot, cut)) return Fenced();
  if (sides != nullptr) ARROW_RETURN_NOT_OK(sides->CheckSetting(snapshot));
  if (abandoned()) return Refuse(CutOutcome::kAbandoned, "the cut was abandoned");
  ARROW_ASSIGN_OR_RAISE(GrowthPlan plan, PlanGrowthFor(snapshot));
  if (!plan.conflict.empty()) return Outgrown(plan.conflict);
  lake::Changes changes;
  changes.adds = bronze_files;
  changes.written_since = cut.sealed_at;
  changes.txns = BronzeTxns(cut, snapshot);
  changes.info = CommitInfo(cut);
  changes.growth = std::move(plan.growth);
  return changes;
}

Result<CutOutcome> CutCommitter::CommitBronze(Job* job) {
  if (!job->unsure) {
    // The partition's current owner continues from the progress in all tables.
    ARROW_ASSIGN_OR_RAISE(const bool others, OthersStandAt(*job, job->firsts.size()));
    if (!others) return CutOutcome::kFenced;
  }
  const BootClock::time_point start = BootClock::now();
  ARROW_ASSIGN_OR_RAISE(lake::CommitResult result, bronze_->Commit(
                                                       [job](const lake::Snapshot& snapshot) {
                                                         return job->PrepareBronze(snapshot);
                                                       },
                                                       start + options_.commit_deadline));
  CountConflicts(result);
  job->committed.version = result.version;
  job->committed.log_latency = BootClock::now() - start;
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
  Job job{.cut = cut, .abandoned = abandoned, .sides = sides_};
  struct Step {
    const char* name;
    const char* what;
    bool needed;
    Result<CutOutcome> (CutCommitter::*run)(Job*);
  };
  if (!cut.quarantined.empty()) job.firsts.push_back({.table = quarantine_});
  const bool others = !cut.quarantined.empty() || !cut.sides.empty();
  const Step steps[] = {
      {"open_tables", "open the side tables", !cut.sides.empty(), &CutCommitter::OpenSides},
      {"write_files", "write data files", true, &CutCommitter::WriteFiles},
      {"check_topic", "ask Kafka for the topic's id", true, &CutCommitter::CheckTopic},
      {"commit_others",
       cut.sides.empty() ? "commit quarantined records" : "commit to the side tables", others,
       &CutCommitter::CommitOthers},
      {"commit", "commit to Bronze", true, &CutCommitter::CommitBronze},
  };
  for (const Step& step : steps) {
    if (!step.needed) continue;
    ARROW_ASSIGN_OR_RAISE(job.committed.outcome, RunStep(step.name, step.what, &job,
                                                         [&] { return (this->*step.run)(&job); }));
    if (job.committed.outcome != CutOutcome::kCommitted) return job.committed;
  }
  const auto count = [&](const std::vector<DataFile>& files) {
    for (const DataFile& file : files) {
      ++job.committed.files;
      job.committed.bytes += file.size_bytes;
    }
  };
  count(job.bronze_files);
  for (const First& first : job.firsts) count(first.files);
  return job.committed;
}

}  // namespace shopstream::ingest
