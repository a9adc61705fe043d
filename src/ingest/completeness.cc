#include "ingest/completeness.h"

#include <algorithm>
#include <utility>

#include "tables/partition_state.h"
#include "tables/progress.h"

namespace shopstream::ingest {
namespace {

constexpr Millis kAskForEndsEvery{5000};

}  // namespace

void Completeness::AskIfDue(BootClock::time_point now) {
  if (now < ask_at_) return;
  std::map<int32_t, int64_t> read = assignment_->ReadUpTo();
  if (read.empty()) return;
  ask_at_ = now + kAskForEndsEvery;
  ends_.Ask(starts_->topic_id(), std::move(read));
}

void Completeness::Take(EndsAnswer targets, const lake::Snapshot& bronze) {
  // Of a log that was cut, nobody knows what it held.
  std::erase_if(targets.topic.spans, [&](const auto& item) {
    const auto& [partition, span] = item;
    const auto next = bronze.Txn(tables::ProgressAppId(targets.topic.id, partition));
    return !span.ok() || next.value_or(0) > span->end;
  });
  targets_ = std::move(targets);
  ends_.Take(targets_);
}

bool Completeness::AdvancesBy(Millis least) const {
  return std::ranges::any_of(ThroughMillis(), [&](const auto& item) {
    const auto& known = assignment_->Find(item.first)->complete_through_ms();
    return !known || item.second - *known >= least.count();
  });
}

void Completeness::Seal(Cut* cut) {
  for (const auto& [partition, through_ms] : ThroughMillis()) {
    assignment_->Find(partition)->SealComplete(through_ms, cut);
  }
}

void Completeness::SealTargets(const lake::Snapshot& bronze, Millis least, Cut* cut) const {
  // Nothing was assigned: the table had reached the targets before.
  if (cut->topic_id.empty()) cut->topic_id = targets_.topic.id;
  if (targets_.topic.id != cut->topic_id) return;
  for (const auto& [partition, span] : targets_.topic.spans) {
    const auto state = tables::ReadPartitionState(bronze.Txns(), cut->topic_id, partition);
    if (!state.next || *state.next < span->end || state.stopped()) continue;
    const auto& known = state.complete_through_ms;
    if (known && targets_.asked_at_ms - *known < least.count()) continue;
    const bool sealed = std::ranges::any_of(
        cut->complete, [&](const CutComplete& one) { return one.partition == partition; });
    if (sealed) continue;
    cut->complete.push_back(
        {.partition = partition, .end = span->end, .through_ms = targets_.asked_at_ms});
  }
}

}  // namespace shopstream::ingest
