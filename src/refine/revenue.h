#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/status.h"
#include "lake/store/object_store.h"

namespace shopstream::refine {

// The Gold table of revenue by hour and region, below refine.gold_folder.
inline constexpr char kRevenueTable[] = "revenue_hourly";
// What it shows: hidden if one of these fields is.
inline constexpr const char* kRevenueFields[] = {"region", "amount", "revenue_usd"};

struct RevenueHour {
  int64_t hour_ms = 0;                    // Since 1970: its first moment.
  std::map<std::string, double> revenue;  // In US dollars, by region.
  std::map<std::string, int64_t> orders;
};

// The newest hours that the table has, ascending. At most `limit`. Errors: the table does not exist
// or has other columns than the one that ships with the program.
Result<std::vector<RevenueHour>> ReadRevenue(lake::ObjectStore* store, const Config& config,
                                             int limit);

// {"currency": "USD", "hours": [{"hour_ms": ..., "regions": {...}, "orders": {...}}]}
nlohmann::ordered_json ToJson(const std::vector<RevenueHour>& hours);

}  // namespace shopstream::refine
