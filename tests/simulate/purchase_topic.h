#pragma once

#include <functional>
#include <string>

#include "base/status.h"
#include "ingest/layout_options.h"
#include "lake/store/object_store.h"
#include "simulate/kafka.h"
#include "simulate/purchases.h"
#include "simulate/registry.h"
#include "simulate/scheduler.h"

namespace shopstream::simulate {

// A topic of purchases in Kafka, their Avro schemas, and the ingest that makes Bronze of them: for
// those histories of refine whose Bronze is not written by BronzeWriter.
class PurchaseTopic {
 public:
  PurchaseTopic(Scheduler* scheduler, int partitions);

  // Outside any program.
  Status CreateTables(lake::ObjectStore* store) const;
  const std::string& id() const { return kafka_.id(); }
  void Recreate(int partitions);
  // Those for quarantine have a schema that the registry does not know before the first Replay.
  void Produce(int32_t partition, const Purchase& purchase, const MoreColumns& more);

  // Programs.
  Status Ingest(lake::ObjectStore* store, bool until_caught_up, const std::function<bool()>& stop);
  Status Replay(lake::ObjectStore* store, const std::function<bool()>& stop);

 private:
  SimulatedKafka kafka_;
  SimulatedRegistry registry_;
  ingest::LayoutOptions layout_;
};

}  // namespace shopstream::simulate
