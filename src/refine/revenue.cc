#include "refine/revenue.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <memory>

#include "base/json.h"
#include "sql/catalog.h"
#include "sql/engine.h"

namespace shopstream::refine {
namespace {

constexpr int64_t kRevenueMemoryBytes = int64_t{64} << 20;

std::string RevenueSql(int limit) {
  return fmt::format(
      "SELECT epoch_ms(event_hour) AS hour_ms, CAST(coalesce(region, '') AS VARCHAR) AS region, "
      "CAST(orders AS BIGINT) AS orders, CAST(revenue_usd AS DOUBLE) AS revenue "
      "FROM gold_{0} WHERE event_hour IN "
      "(SELECT DISTINCT event_hour FROM gold_{0} ORDER BY event_hour DESC LIMIT {1}) "
      "ORDER BY hour_ms, region",
      kRevenueTable, limit);
}

void AddRows(const arrow::RecordBatch& batch, std::vector<RevenueHour>* hours) {
  const auto& moments = static_cast<const arrow::Int64Array&>(*batch.column(0));
  const auto& regions = static_cast<const arrow::StringArray&>(*batch.column(1));
  const auto& orders = static_cast<const arrow::Int64Array&>(*batch.column(2));
  const auto& revenue = static_cast<const arrow::DoubleArray&>(*batch.column(3));
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    const int64_t moment = moments.Value(row);
    if (hours->empty() || hours->back().hour_ms != moment) hours->push_back({moment, {}, {}});
    const std::string region = regions.GetString(row);
    hours->back().revenue[region] += revenue.Value(row);
    hours->back().orders[region] += orders.Value(row);
  }
}

}  // namespace

Result<std::vector<RevenueHour>> ReadRevenue(lake::ObjectStore* store, const Config& config,
                                             int limit) {
  sql::SqlText sql;
  sql.text = RevenueSql(limit);
  ARROW_ASSIGN_OR_RAISE(const auto catalog, sql::Catalog::Open(store, config));
  ARROW_ASSIGN_OR_RAISE(const auto engine,
                        sql::Engine::Open({.memory_bytes = kRevenueMemoryBytes}));
  ARROW_ASSIGN_OR_RAISE(const auto session, engine->Connect());
  ARROW_RETURN_NOT_OK(catalog->Register(sql.text, session.get()));
  auto prepared = session->Prepare(sql);
  if (!prepared.ok()) return catalog->Explained(prepared.status());
  ARROW_ASSIGN_OR_RAISE(const auto rows, prepared->front().Stream());
  std::vector<RevenueHour> hours;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, rows->Next());
    if (batch == nullptr) return hours;
    AddRows(*batch, &hours);
  }
}

nlohmann::ordered_json ToJson(const std::vector<RevenueHour>& hours) {
  nlohmann::ordered_json listed = nlohmann::ordered_json::array();
  for (const RevenueHour& hour : hours) {
    listed.push_back(
        {{"hour_ms", hour.hour_ms}, {"regions", hour.revenue}, {"orders", hour.orders}});
  }
  return {{"currency", "USD"}, {"hours", std::move(listed)}};
}

}  // namespace shopstream::refine
