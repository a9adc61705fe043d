#include "refine/upkeep.h"

#include <utility>

#include "base/log.h"

namespace shopstream::refine {

lake::MaintenanceOptions Upkeep::DefaultOptions() {
  lake::MaintenanceOptions options;
  options.metric_prefix = "shopstream_refine";
  options.expire_interval = Millis{60'000};
  return options;
}

Upkeep::Upkeep(lake::ObjectStore* store, std::vector<lake::Table*> filled,
               std::function<std::vector<std::string>()> gold,
               const lake::MaintenanceOptions& options)
    : store_(store),
      filled_(std::move(filled)),
      gold_(std::move(gold)),
      maintenance_([this] { return Tables(); }, options) {}

std::vector<lake::Table*> Upkeep::Tables() {
  std::vector<lake::Table*> tables = filled_;
  for (const std::string& path : gold_()) {
    auto& table = opened_[path];
    if (table == nullptr) {
      auto opened = lake::Table::Open(store_, path);
      if (!opened.ok()) {
        Log::Debug("table {} is not maintained yet: {}", path, opened.status().message());
        continue;
      }
      table = *std::move(opened);
    }
    tables.push_back(table.get());
  }
  return tables;
}

}  // namespace shopstream::refine
