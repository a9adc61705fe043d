#include "observe/parting.h"

#include <algorithm>

#include "observe/coverage.h"

namespace shopstream::observe {

void Parting::Add(const kafka::RecordView& record) {
  if (since_.count == 0) since_.first_ms = record.timestamp_ms;
  since_.last_ms = record.timestamp_ms;
  ++since_.count;
  if (parted_) return;
  const ContentSample::Verdict verdict = sample_.Compare(record);
  if (verdict == ContentSample::Verdict::kOther || !lake_->Contains(record.offset)) {
    parted_ = true;
    return;
  }
  matched_to_ = record.offset + 1;
  if (verdict == ContentSample::Verdict::kSame) {
    agreed_ = true;
    agreed_to_ = record.offset + 1;
    since_ = {};
  }
}

void Parting::Finish(int64_t end) {
  if (parted_ || end <= matched_to_) return;
  int64_t without_row = 0;
  lake_->ForEachGap(matched_to_, end,
                    [&](int64_t gap, int64_t gap_end) { without_row += gap_end - gap; });
  parted_ = without_row < end - matched_to_;
}

OffsetRange LossOf(int32_t partition, const tables::PartitionState& state, int64_t kafka_end,
                   const Parting& parting, int64_t committed_to) {
  const int64_t next = state.next.value_or(0);
  const int64_t seen = state.stop.kafka_offset;
  const auto& last = state.position.last;
  const std::optional<int64_t> at = parting.at();
  if (parting.agrees() && kafka_end >= next && seen < next) return {partition, next, next};
  OffsetRange lost{partition, std::min(next, at.value_or(kafka_end)), next};
  if (seen >= 0) lost.begin = std::min(lost.begin, seen);
  switch (state.stop.reason) {
    case tables::StopReason::kNone:
    case tables::StopReason::kBeyondEnd:
    case tables::StopReason::kAdopted:
      break;
    case tables::StopReason::kOtherRecord:
      if (seen >= next) lost.end = std::max(lost.end, committed_to);
      if (seen < 0 && last) lost.begin = std::min(lost.begin, last->offset);
      break;
    case tables::StopReason::kTruncated:
      // The last record itself may still be there; what followed it is not.
      if (!at && last) lost.begin = std::min(lost.begin, last->offset + 1);
      break;
  }
  // Quarantine is ahead with records of the lake's history; they keep out what Kafka has there now.
  if (lost.begin < next) lost.end = std::max(lost.end, committed_to);
  return lost;
}

tables::EmptyOffsets EmptyIn(const OffsetRange& loss, const tables::PartitionState& state,
                             const OffsetSet& lake) {
  tables::EmptyOffsets empty;
  if (!state.position.empty) return empty;
  const tables::EmptyOffsets& ledger = *state.position.empty;
  lake.ForEachGap(std::max(loss.begin, ledger.from), std::min(loss.end, ledger.to),
                  [&](int64_t begin, int64_t end) {
                    // Offsets lost before are not in the ledger.
                    ForEachNotLost(state.lost, begin, end,
                                   [&](int64_t b, int64_t e) { empty.Skip(b, e); });
                  });
  return empty;
}

}  // namespace shopstream::observe
