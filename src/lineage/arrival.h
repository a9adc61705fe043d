#pragma once

#include <optional>
#include <string>

#include "lineage/lineage.h"
#include "tables/partition_state.h"

namespace shopstream::lineage {

// What is known about an offset.
struct ArrivalFacts {
  bool in_bronze = false, in_quarantine = false;
  bool erased = false, expired = false;  // According to the tables that had it.
  bool topic_deleted = false;            // Kafka has another topic of this name.
  KafkaSpan kafka = {};
  tables::PartitionState state = {};  // Of Bronze.
};

struct ArrivalVerdict {
  Arrival arrival = Arrival::kUnknown;
  std::string reason = {}, remedy = {};
  std::optional<bool> in_kafka = {};
};

// Decides what became of a record. Pure.
ArrivalVerdict JudgeArrival(const RecordKey& key, const ArrivalFacts& facts);

}  // namespace shopstream::lineage
