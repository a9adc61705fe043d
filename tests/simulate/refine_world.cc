#include "simulate/refine_world.h"

#include <arrow/util/logging.h>

#include "lake/delta/table.h"

namespace shopstream::simulate {

RefineWorld::RefineWorld(const RefinePlan& a_plan, bool keep_text)
    : plan(a_plan),
      trace(keep_text),
      chance(a_plan.seed ^ 0x5117e4),
      scheduler(&chance, &trace),
      store(&scheduler),
      maker(&chance) {
  const auto look = Look();
  if (plan.by_ingest) {
    partitions = RefinePlan::kMostPartitions;
    topic = std::make_unique<PurchaseTopic>(&scheduler, partitions);
    topic_id = topic->id();
    ARROW_CHECK_OK(topic->CreateTables(look.get()));
    return;
  }
  RecreateTopic();
  lake::TableSpec spec = BronzeSpec(kBronzeTable, columns);
  // So that a history has some checkpoints, and its log is cleaned up.
  spec.properties = {{"delta.checkpointInterval", "8"},
                     {"delta.logRetentionDuration", "interval 3 hours"}};
  ARROW_CHECK_OK(lake::Table::Create(look.get(), spec));
}

void RefineWorld::Buy(int partition, int64_t amount) {
  auto& log = kafka[{topic_id, partition % partitions}];
  for (int64_t i = 0; i < amount; ++i) {
    log.push_back(maker.Make(KafkaMillis() + i, columns));
    if (topic != nullptr) topic->Produce(partition % partitions, log.back(), columns);
  }
}

void RefineWorld::AddPartition() {
  if (topic != nullptr || partitions == RefinePlan::kMostPartitions) return;
  trace.Count("kafka: partition added");
  kafka[{topic_id, partitions++}];
}

void RefineWorld::RecreateTopic() {
  if (topics_ > 0 || topic != nullptr) trace.Count("kafka: topic created again");
  if (topic != nullptr) {
    topic->Recreate(partitions);
    topic_id = topic->id();
    return;
  }
  // Ids are random: a newer one may be the lesser one.
  topic_id = (chance.Once(0.5) ? "a" : "z") + std::to_string(++topics_);
  partitions = static_cast<int>(chance.Between(1, RefinePlan::kMostPartitions));
  for (int i = 0; i < partitions; ++i) kafka[{topic_id, i}];
}

void RefineWorld::AddColumn() {
  bool& next = columns.voucher ? columns.late : columns.voucher;
  trace.Count("a column added", next ? 0 : 1);
  next = true;
}

}  // namespace shopstream::simulate
