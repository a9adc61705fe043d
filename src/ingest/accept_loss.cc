#include "ingest/accept_loss.h"

#include "base/error_kind.h"
#include "base/json.h"
#include "tables/progress.h"

namespace shopstream::ingest {
namespace {

// Where reading continues.
int64_t End(const LossToAccept& loss) { return loss.until.value_or(loss.next); }

AcceptOutcome Judge(const tables::PartitionState& state, const LossToAccept& loss) {
  if (state.next != loss.next) return AcceptOutcome::kProgressMoved;
  if (!state.stopped() && !loss.until) return AcceptOutcome::kNotStopped;
  return AcceptOutcome::kAccepted;
}

// Whether the loss is in the table: an earlier attempt, whose reply was lost, has committed it.
bool IsAccepted(const tables::PartitionState& state, const LossToAccept& loss) {
  if (state.stopped() || state.accepted != End(loss) || state.next.value_or(-1) < End(loss))
    return false;
  for (const OffsetRange& lost : state.lost) {
    if (lost.begin == loss.lost.begin && lost.end >= loss.lost.end) return true;
  }
  return loss.lost.empty();
}

lake::Changes ChangesFor(const tables::PartitionState& state, const LossToAccept& loss) {
  const int32_t partition = loss.lost.partition;
  lake::Changes changes;
  changes.operation = "ACCEPT LOSS";
  if (state.position.empty) {
    tables::EmptyOffsets empty = *state.position.empty;
    empty.Remove(loss.empty);
    empty.to = End(loss);
    tables::Put(loss.topic_id, partition, tables::Position{std::nullopt, -1, empty}, &changes.txns);
  }
  tables::PutAccepted(loss.topic_id, partition, End(loss), &changes.txns);
  if (!loss.lost.empty()) tables::PutLost(loss.topic_id, loss.lost, &changes.txns);
  changes.txns[tables::ProgressAppId(loss.topic_id, partition)] = End(loss);
  changes.info = nlohmann::json{
      {"topic", loss.topic}, {"partition", partition}, {"lost", {loss.lost.begin, loss.lost.end}}};
  return changes;
}

}  // namespace

Result<AcceptOutcome> AcceptLoss(lake::Table* bronze, const LossToAccept& loss, Millis patience) {
  const int32_t partition = loss.lost.partition;
  if (loss.lost.begin > loss.lost.end || loss.lost.end != End(loss) || End(loss) < loss.next) {
    return Status::Invalid("the lost offsets of partition ", partition, " must end at offset ",
                           End(loss), ", and not below the progress ", loss.next);
  }
  const auto prepare = [&](const lake::Snapshot& snapshot) -> Result<lake::ChangesOrRefusal> {
    const auto state = tables::ReadPartitionState(snapshot.Txns(), loss.topic_id, partition);
    const AcceptOutcome outcome = Judge(state, loss);
    if (outcome != AcceptOutcome::kAccepted || IsAccepted(state, loss)) {
      return lake::Refusal{.why = "the partition's state has changed",
                           .code = static_cast<int>(outcome)};
    }
    return ChangesFor(state, loss);
  };
  const auto deadline = BootClock::now() + patience;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const lake::CommitResult result, bronze->Commit(prepare, deadline));
    if (result.outcome == lake::CommitOutcome::kCommitted) return AcceptOutcome::kAccepted;
    if (result.refusal && result.refusal->code) {
      ARROW_ASSIGN_OR_RAISE(const auto snapshot, bronze->Refresh());
      const auto state = tables::ReadPartitionState(snapshot->Txns(), loss.topic_id, partition);
      if (IsAccepted(state, loss)) return AcceptOutcome::kAccepted;
      return static_cast<AcceptOutcome>(*result.refusal->code);
    }
    if (BootClock::now() >= deadline) {
      return Unavailable("it is unknown whether the loss was accepted: ", result.detail,
                         ". Run the command again");
    }
  }
}

}  // namespace shopstream::ingest
