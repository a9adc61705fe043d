#include "lineage/arrival.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/format.h"

namespace shopstream::lineage {
namespace {

// The offset is below the progress, and no table has it or has recorded why.
ArrivalVerdict JudgeHole(const RecordKey& key, const ArrivalFacts& facts) {
  const auto lost = std::ranges::any_of(facts.state.lost, [&](const OffsetRange& range) {
    return key.offset >= range.begin && key.offset < range.end;
  });
  if (lost) {
    return {.arrival = Arrival::kLost,
            .reason = "Kafka removed it before ingest read it, or an operator accepted its loss",
            .remedy = "shopstream progress show"};
  }
  const auto& empty = facts.state.position.empty;
  const bool counted = empty && key.offset >= empty->from && key.offset < empty->to;
  if (counted && empty->count == 0) {
    return {.arrival = Arrival::kMissing,
            .reason = "ingest has read it, and no table has it",
            .remedy = "shopstream audit"};
  }
  return {.arrival = Arrival::kNoRecord,
          .reason = counted ? fmt::format("ingest is past it and found no record: {} in this "
                                          "partition hold none, such as markers of transactions",
                                          Counted(empty->count, "offset"))
                            : "ingest is past it and no table has it: it is likely to be a marker "
                              "of a transaction, or a record that Kafka had compacted away",
          .remedy = "shopstream audit"};
}

ArrivalVerdict JudgeAhead(const RecordKey& key, const ArrivalFacts& facts) {
  const KafkaSpan& kafka = facts.kafka;
  const int64_t next = facts.state.next.value_or(0);
  if (facts.topic_deleted) {
    return {.arrival = Arrival::kLost, .reason = "its topic was deleted before ingest read it"};
  }
  if (kafka.end && key.offset >= *kafka.end) {
    return {.arrival = Arrival::kNotProduced,
            .reason = fmt::format("the partition ends at offset {}", FormatCount(*kafka.end))};
  }
  if (kafka.log_start && key.offset < *kafka.log_start) {
    return {.arrival = Arrival::kLost,
            .reason = fmt::format("Kafka removed it before ingest read it: the partition begins at "
                                  "offset {}, and ingest is at {}",
                                  FormatCount(*kafka.log_start), FormatCount(next)),
            .remedy = "shopstream progress show"};
  }
  if (!kafka.end) {
    return {.arrival = Arrival::kUnknown,
            .reason = fmt::format("the lake is at offset {}, and Kafka does not answer: {}",
                                  FormatCount(next), kafka.unknown),
            .remedy = "shopstream health"};
  }
  if (facts.state.stopped()) {
    return {.arrival = Arrival::kAwaited,
            .reason = fmt::format("ingest does not read this partition: {}",
                                  tables::Meaning(facts.state.stop.reason)),
            .remedy = "shopstream progress show"};
  }
  return {.arrival = Arrival::kAwaited,
          .reason = fmt::format("it is not in the lake yet: ingest is at offset {}, {} before it",
                                FormatCount(next), FormatCount(key.offset - next)),
          .remedy = "shopstream health"};
}

ArrivalVerdict Judge(const RecordKey& key, const ArrivalFacts& facts) {
  if (facts.in_bronze) return {.arrival = Arrival::kInLake};
  if (facts.in_quarantine) {
    return {.arrival = Arrival::kQuarantined,
            .reason = "it could not be decoded",
            .remedy = fmt::format("shopstream quarantine show {} {}", key.partition, key.offset)};
  }
  if (facts.erased) {
    return {.arrival = Arrival::kErased, .reason = "it was removed by `shopstream table erase`"};
  }
  if (facts.expired) {
    return {.arrival = Arrival::kExpired,
            .reason =
                "its date was removed by `shopstream table retain`, or moved by "
                "`shopstream table archive`"};
  }
  if (facts.state.next && key.offset < *facts.state.next) return JudgeHole(key, facts);
  return JudgeAhead(key, facts);
}

}  // namespace

ArrivalVerdict JudgeArrival(const RecordKey& key, const ArrivalFacts& facts) {
  ArrivalVerdict verdict = Judge(key, facts);
  if (facts.topic_deleted) {
    verdict.in_kafka = false;
  } else if (facts.kafka.log_start && facts.kafka.end) {
    verdict.in_kafka = key.offset >= *facts.kafka.log_start && key.offset < *facts.kafka.end;
  }
  return verdict;
}

const char* Name(Arrival arrival) {
  switch (arrival) {
    case Arrival::kInLake:
      return "in_lake";
    case Arrival::kQuarantined:
      return "quarantined";
    case Arrival::kErased:
      return "erased";
    case Arrival::kExpired:
      return "expired";
    case Arrival::kLost:
      return "lost";
    case Arrival::kNoRecord:
      return "no_record";
    case Arrival::kAwaited:
      return "awaited";
    case Arrival::kNotProduced:
      return "not_produced";
    case Arrival::kMissing:
      return "missing";
    case Arrival::kUnknown:
      return "unknown";
  }
  return "";
}

const char* Name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kNone:
      return "none";
    case Verdict::kSilver:
      return "silver";
    case Verdict::kRejected:
      return "rejected";
    case Verdict::kDuplicate:
      return "duplicate";
    case Verdict::kAwaited:
      return "awaited";
    case Verdict::kMissing:
      return "missing";
    case Verdict::kNoRefine:
      return "no_refine";
  }
  return "";
}

}  // namespace shopstream::lineage
