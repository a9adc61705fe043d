#include "simulate/operator.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "ingest/accept_loss.h"
#include "lake/delta/table.h"
#include "observe/lake_history.h"
#include "observe/parting.h"

namespace shopstream::simulate {
namespace {

class Operator {
 public:
  Operator(World* world, lake::ObjectStore* store) : world_(world), store_(store) {}

  Status Run() {
    ARROW_ASSIGN_OR_RAISE(bronze_, lake::Table::Open(store_, world_->layout.table));
    if (world_->mistake != Mistake::kNone) bronze_ = Mistaken(world_->mistake, std::move(bronze_));
    const std::string topic_id = world_->kafka.id();
    for (int32_t partition = 0; partition < world_->kafka.partitions(); ++partition) {
      const auto state =
          tables::ReadPartitionState(bronze_->snapshot()->Txns(), topic_id, partition);
      if (!state.next || world_->kafka.id() != topic_id) continue;
      ARROW_ASSIGN_OR_RAISE(const auto loss, LossOf(topic_id, partition, state));
      if (loss) ARROW_RETURN_NOT_OK(Accept(*loss));
    }
    return Status::OK();
  }

 private:
  Result<std::optional<ingest::LossToAccept>> LossOf(const std::string& topic_id, int32_t partition,
                                                     const tables::PartitionState& state) {
    ingest::LossToAccept loss{.topic = kTopic,
                              .topic_id = topic_id,
                              .next = *state.next,
                              .lost = {},
                              .empty = {},
                              .until = {}};
    const int64_t corrupt = world_->kafka.log(partition).corrupt;
    if (state.stopped()) {
      ARROW_RETURN_NOT_OK(Compare(topic_id, partition, state, &loss));
    } else if (IsNext(partition, *state.next, corrupt)) {
      loss.lost = {partition, *state.next, corrupt + 1};
    } else {
      return std::nullopt;
    }
    if (loss.lost.end > loss.next) loss.until = loss.lost.end;
    return loss;
  }

  // Whether nothing can be read from `next` to `offset`; markers may be between.
  bool IsNext(int32_t partition, int64_t next, int64_t offset) const {
    const PartitionLog& log = world_->kafka.log(partition);
    for (; next < offset; ++next) {
      if (log.offsets[next].kind == StoredOffset::Kind::kRecord) return false;
    }
    return next == offset;
  }

  // As `progress show` does.
  Status Compare(const std::string& topic_id, int32_t partition,
                 const tables::PartitionState& state, ingest::LossToAccept* loss) {
    const std::function<void(const std::string&)> silent = [](const std::string&) {};
    observe::ProgressTicker ticker(silent);
    const LakeConfig tables{.uri = {},
                            .bronze_table = world_->layout.table,
                            .quarantine_table = world_->layout.quarantine_table};
    ARROW_ASSIGN_OR_RAISE(auto histories,
                          observe::ReadLakeHistories(store_, tables, *bronze_->snapshot(), topic_id,
                                                     {partition}, &ticker));
    observe::LakeHistory& rows = histories.at(partition);
    if (state.position.last) rows.sample.AddLast(*state.position.last);
    const SimulatedKafka& kafka = world_->kafka;
    if (kafka.id() != topic_id) return Status::KeyError("the topic is gone");
    const PartitionLog& log = kafka.log(partition);
    observe::Parting parting(log.log_start, std::move(rows.sample), &rows.offsets);
    for (int64_t offset = log.log_start; offset < std::min(*state.next, log.end()); ++offset) {
      if (log.offsets[offset].kind == StoredOffset::Kind::kRecord) {
        parting.Add(kafka.View(partition, offset));
      }
    }
    parting.Finish(std::min(*state.next, log.last_stable()));
    loss->lost = observe::LossOf(partition, state, log.last_stable(), parting, rows.committed_to);
    loss->empty = observe::EmptyIn(loss->lost, state, rows.offsets);
    return Status::OK();
  }

  Status Accept(const ingest::LossToAccept& loss) {
    world_->scheduler.Note("accepts the loss of " + std::to_string(loss.lost.partition) + "@" +
                           std::to_string(loss.lost.begin) + ".." + std::to_string(loss.lost.end));
    ARROW_ASSIGN_OR_RAISE(const auto outcome, ingest::AcceptLoss(bronze_.get(), loss));
    if (outcome != ingest::AcceptOutcome::kAccepted) return Status::OK();
    world_->trace.Count(loss.until ? "operator: offset given up" : "operator: loss accepted");
    return Status::OK();
  }

  World* const world_;
  lake::ObjectStore* const store_;
  std::unique_ptr<lake::Table> bronze_;
};

}  // namespace

Status AcceptLosses(World* world, lake::ObjectStore* store) {
  ++world->operators;
  const Status status = Operator(world, store).Run();
  --world->operators;
  return status;
}

}  // namespace shopstream::simulate
