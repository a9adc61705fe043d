#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "kafka/record.h"
#include "model/offset_range.h"
#include "observe/content_sample.h"
#include "observe/offset_set.h"
#include "tables/partition_state.h"

namespace shopstream::observe {

// Where the histories of one partition in Kafka and in the lake diverge. Below that offset they are
// the same, so one record that agrees proves that all earlier ones do.
class Parting {
 public:
  // Kafka's records are compared from offset `from` on. `lake`: the offsets of the lake's rows.
  Parting(int64_t from, ContentSample sample, const OffsetSet* lake)
      : sample_(std::move(sample)), lake_(lake), agreed_to_(from), matched_to_(from) {}

  // Records in ascending order, below the lake's progress.
  void Add(const kafka::RecordView& record);
  // Every record below `end` was added: a row after the last of them no longer has a record.
  void Finish(int64_t end);

  // Nothing: no record differs. If only some rows are sampled, it may be too low, never too high.
  std::optional<int64_t> at() const { return parted_ ? std::optional(agreed_to_) : std::nullopt; }
  // Every record that was compared agrees, and at least one was.
  bool agrees() const { return agreed_ && !parted_; }
  // Kafka's records from there on, with the times of sending of the first and the last of them.
  struct Records {
    int64_t count = 0;
    int64_t first_ms = -1, last_ms = -1;
  };
  Records records() const { return parted_ ? since_ : Records{}; }

 private:
  ContentSample sample_;
  const OffsetSet* lake_;
  int64_t agreed_to_ = 0;
  int64_t matched_to_ = 0;  // After the last record that has a row; it may not be sampled.
  bool agreed_ = false, parted_ = false;
  Records since_;  // Since the last one that agrees.
};

// What an operator gives up by continuing a stopped partition: from where the histories diverge
// (`at`; nothing: not known) to the progress, or to the end of the records that other tables have
// above it (`committed_to`; 0: none), whose offsets are taken. Empty: Kafka has all of the lake's
// history again. `kafka_end`: Kafka's present end.
OffsetRange LossOf(int32_t partition, const tables::PartitionState& state, int64_t kafka_end,
                   const Parting& parting, int64_t committed_to);

// The offsets of [loss.begin, progress) that the ledger counts as empty.
tables::EmptyOffsets EmptyIn(const OffsetRange& loss, const tables::PartitionState& state,
                             const OffsetSet& lake);

}  // namespace shopstream::observe
