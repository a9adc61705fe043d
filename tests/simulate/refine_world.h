#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "simulate/chance.h"
#include "simulate/purchase_topic.h"
#include "simulate/purchases.h"
#include "simulate/refine_plan.h"
#include "simulate/scheduler.h"
#include "simulate/store.h"
#include "simulate/trace.h"
#include "tables/progress.h"

namespace shopstream::simulate {

inline constexpr char kBronzeTable[] = "bronze-events";
inline constexpr char kSilverTable[] = "silver-events";
inline constexpr char kRejectsTable[] = "silver-rejects";
inline constexpr char kGoldFolder[] = "gold-metrics";

// The environment of a history of refine: a Kafka that only has purchases, and the lake.
struct RefineWorld {
  RefineWorld(const RefinePlan& plan, bool keep_text);

  std::unique_ptr<lake::ObjectStore> Look() { return store.OpenForChecks(); }
  // Kafka's clock: purchases happen by day.
  int64_t KafkaMillis() const { return scheduler.EpochMillis() + 12 * 3'600'000; }

  // ---- actions
  void Buy(int partition, int64_t amount);
  void AddPartition();
  void RecreateTopic();
  void AddColumn();

  const RefinePlan plan;
  Trace trace;
  Chance chance;
  Scheduler scheduler;
  SimulatedStore store;
  PurchaseMaker maker;
  std::unique_ptr<PurchaseTopic> topic;  // Null: BronzeWriter writes Bronze.
  std::map<tables::ProgressKey, std::vector<Purchase>> kafka;
  std::string topic_id;  // The newest.
  int partitions = 1;    // Of the newest.
  MoreColumns columns;
  int rules = 0;                      // The number of the text in force.
  std::vector<std::string> failures;  // The first one explains what went wrong.

 private:
  int topics_ = 0;
};

}  // namespace shopstream::simulate
