#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/status.h"
#include "lake/store/object_store.h"
#include "observe/lag_look.h"
#include "observe/part_watch.h"
#include "observe/sample.h"

namespace shopstream::observe {

// Samples Kafka, the registry and the lake from outside, every observe.interval_ms. Each part has
// its own thread, clients and time limit, so that one that fails or hangs holds up no other. It
// starts without any of them, and sees them when they come. Thread-safe.
class Sampler {
 public:
  // Invalid: lake.uri is not one of a lake.
  static Result<std::unique_ptr<Sampler>> Start(const Config& config);
  // Waits a few seconds at most.
  ~Sampler();

  Sample Latest();
  const std::shared_ptr<SharedHistory>& history() const { return history_; }

 private:
  template <typename T>
  using Watch = std::shared_ptr<PartWatch<T>>;
  using TableWatches = std::map<std::string, Watch<TableSample>>;

  Sampler(const Config& config, std::shared_ptr<lake::ObjectStore> store);
  void StartKafka();
  void StartLake();
  Watch<TableSample> WatchTable(const std::string& path) const;
  // Watches the tables that were found since, and no longer those that are gone.
  TableWatches FollowTables(const Seen<std::vector<std::string>>& found);

  const Config config_;
  const std::shared_ptr<lake::ObjectStore> store_;
  const std::shared_ptr<SharedHistory> history_ = std::make_shared<SharedHistory>();
  const Schedule schedule_;
  Watch<BrokersSample> brokers_;
  Watch<TopicsSample> topics_;
  Watch<GroupsSample> groups_;
  Watch<RegistrySample> registry_;
  Watch<std::vector<std::string>> found_tables_;
  Watch<QuarantineSample> quarantine_;
  Watch<TableSample> bronze_;
  Watch<LagsSample> lag_;
  std::mutex mutex_;
  TableWatches tables_;  // All but Bronze; guarded by mutex_.
  // Tables that are gone. To end a watch may wait for its look. Guarded by mutex_.
  std::vector<Watch<TableSample>> gone_;
};

}  // namespace shopstream::observe
