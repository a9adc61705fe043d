#include "observe/sampler.h"

#include <algorithm>
#include <utility>

#include "base/format.h"
#include "lake/delta/table_history.h"
#include "observe/kafka_look.h"
#include "observe/registry_look.h"
#include "observe/table_look.h"

namespace shopstream::observe {
namespace {

// For one request. Several of them fit into the limit of a look.
constexpr Millis kRequestTimeout{2000};
constexpr Millis kLookLimit{5000};
// The lag waits for the looks at the topics and Bronze, and then reads records.
constexpr Millis kLagLimit = kLookLimit + LagLook::kAgePatience + Millis{1000};
// Looking for new tables lists folders: on S3 each list is a paid request.
constexpr Millis kFindTablesInterval{10'000};
constexpr Millis kFindTablesRemoteInterval{60'000};
constexpr size_t kMostTables = 100;

// Looks for tables at its own, longer interval, unless there is none yet.
class TablesLook {
 public:
  explicit TablesLook(std::shared_ptr<lake::ObjectStore> store) : store_(std::move(store)) {}

  Result<std::vector<std::string>> Look() {
    const BootClock::time_point now = BootClock::now();
    if (now < due_ && !found_.empty()) return found_;
    ARROW_ASSIGN_OR_RAISE(found_, lake::FindTables(store_.get()));
    due_ = now + (store_->IsRemote() ? kFindTablesRemoteInterval : kFindTablesInterval);
    return found_;
  }

 private:
  const std::shared_ptr<lake::ObjectStore> store_;
  std::vector<std::string> found_;
  BootClock::time_point due_{};
};

// The look of an object that the watch owns.
template <typename T, typename L>
std::shared_ptr<PartWatch<T>> WatchWith(const Schedule& schedule, std::shared_ptr<L> look) {
  return std::make_shared<PartWatch<T>>(
      schedule, [look = std::move(look)](BootClock::time_point) { return look->Look(); });
}

}  // namespace

Result<std::unique_ptr<Sampler>> Sampler::Start(const Config& config) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<lake::ObjectStore> store, lake::OpenObjectStore(config));
  return std::unique_ptr<Sampler>(new Sampler(config, std::move(store)));
}

Sampler::Sampler(const Config& config, std::shared_ptr<lake::ObjectStore> store)
    : config_(config),
      store_(std::move(store)),
      schedule_{.start = BootClock::now(),
                .interval = Millis{config.observe.interval_ms},
                .limit = kLookLimit} {
  StartLake();
  StartKafka();
  registry_ = WatchWith<RegistrySample>(
      schedule_, std::make_shared<RegistryLook>(config_.registry, kRequestTimeout));
}

void Sampler::StartLake() {
  found_tables_ =
      WatchWith<std::vector<std::string>>(schedule_, std::make_shared<TablesLook>(store_));
  bronze_ = WatchTable(config_.lake.bronze_table);
  quarantine_ = WatchWith<QuarantineSample>(
      schedule_, std::make_shared<QuarantineLook>(store_, config_.lake.quarantine_table));
}

void Sampler::StartKafka() {
  const KafkaConfig& kafka = config_.kafka;
  const std::string bronze_table = config_.lake.bronze_table;
  brokers_ =
      WatchWith<BrokersSample>(schedule_, std::make_shared<BrokersLook>(kafka, kRequestTimeout));
  topics_ = WatchWith<TopicsSample>(
      schedule_,
      std::make_shared<TopicsLook>(kafka, config_.observe.topics == "all", kRequestTimeout));
  auto groups =
      std::make_shared<GroupsLook>(kafka, config_.observe.groups == "all", kRequestTimeout);
  groups_ = std::make_shared<PartWatch<GroupsSample>>(
      schedule_,
      [groups = std::move(groups), topics = topics_, history = history_,
       own = kafka.group](BootClock::time_point scheduled) -> Result<GroupsSample> {
        ARROW_ASSIGN_OR_RAISE(GroupsSample sample, groups->Look());
        const auto seen = topics->Await(scheduled);
        if (seen.known()) {
          history->With([&](LagHistory* lags) { RememberGroups(sample, *seen.value, own, lags); });
        }
        return sample;
      });
  auto lag = std::make_shared<LagLook>(kafka, history_);
  Schedule lag_schedule = schedule_;
  lag_schedule.limit = kLagLimit;
  lag_ = std::make_shared<PartWatch<LagsSample>>(
      lag_schedule, [lag = std::move(lag), topics = topics_, bronze = bronze_,
                     bronze_table](BootClock::time_point scheduled) {
        const auto seen = topics->Await(scheduled);
        return lag->Look(seen, bronze->Await(scheduled), bronze_table);
      });
}

Sampler::~Sampler() {
  const auto stop = [](const auto& watch) { watch->RequestStop(); };
  stop(brokers_);
  stop(topics_);
  stop(groups_);
  stop(registry_);
  stop(found_tables_);
  stop(quarantine_);
  stop(bronze_);
  stop(lag_);
  for (const auto& [path, table] : tables_) stop(table);
}

Sampler::Watch<TableSample> Sampler::WatchTable(const std::string& path) const {
  return WatchWith<TableSample>(
      schedule_, std::make_shared<TableLook>(store_, path, path == config_.lake.bronze_table));
}

Sampler::TableWatches Sampler::FollowTables(const Seen<std::vector<std::string>>& found) {
  const std::lock_guard lock(mutex_);
  if (!found.known()) return tables_;
  for (auto table = tables_.begin(); table != tables_.end();) {
    const auto current = table++;
    if (std::ranges::binary_search(*found.value, current->first)) continue;
    current->second->RequestStop();
    gone_.push_back(std::move(current->second));
    tables_.erase(current);
  }
  for (const std::string& path : *found.value) {
    if (path == config_.lake.bronze_table || tables_.contains(path)) continue;
    if (tables_.size() >= kMostTables) break;
    tables_.emplace(path, WatchTable(path));
  }
  return tables_;
}

Sample Sampler::Latest() {
  Sample sample{.at_ms = WallClockMillis(),
                .topic = config_.kafka.topic,
                .group = config_.kafka.group,
                .brokers = brokers_->latest(),
                .topics = topics_->latest(),
                .groups = groups_->latest(),
                .registry = registry_->latest(),
                .tables = {},
                .tables_unknown = "",
                .quarantine = quarantine_->latest(),
                .lag = lag_->latest()};
  sample.tables[config_.lake.bronze_table] = bronze_->latest();
  const auto found = found_tables_->latest();
  for (const auto& [path, table] : FollowTables(found)) sample.tables[path] = table->latest();
  if (!found.known()) {
    sample.tables_unknown = found.unknown;
  } else if (found.value->size() > kMostTables) {
    sample.tables_unknown = "it has " + Counted(std::ssize(*found.value), "table") +
                            ", of which only the first " + FormatCount(kMostTables) +
                            " are sampled";
  }
  return sample;
}

}  // namespace shopstream::observe
