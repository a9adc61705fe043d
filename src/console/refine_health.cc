#include "console/refine_health.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/error_kind.h"
#include "base/format.h"
#include "lake/delta/table.h"
#include "lake/delta/table_at.h"
#include "lake/store/object_store.h"
#include "refine/columns.h"
#include "refine/refine_loop.h"
#include "refine/status.h"

namespace shopstream::console {
namespace {

using observe::ComponentHealth;
using observe::HealthState;

// Passes come every few seconds while rows wait, but one of many rows and dates takes longer.
constexpr int64_t kLongestWaitMs = 30'000, kLongestPassMs = 120'000;
constexpr int64_t kManyRows = 50'000;

ComponentHealth Refine(HealthState state, std::string detail, std::string remedy) {
  return {"refine", state, std::move(detail), std::move(remedy)};
}

Result<refine::RefineColumns> BronzeColumns(const Config& config, lake::ObjectStore* store) {
  ARROW_ASSIGN_OR_RAISE(const auto bronze, lake::Table::Open(store, config.lake.bronze_table));
  return refine::RefineColumns::Of(bronze->path(), *bronze->snapshot());
}

// How long rows have waited for a pass: since the last one, or since the first commit to Bronze
// that it did not see. An idle refine makes a pass only once a minute. Nothing: unknown.
Result<std::optional<int64_t>> WaitMillis(lake::ObjectStore* store,
                                          const refine::RefineStatus& status) {
  const refine::TableStanding &bronze = status.tables[0], &rejects = status.tables[1];
  ARROW_ASSIGN_OR_RAISE(auto since, lake::CommitTime(store, rejects.table, rejects.version));
  if (status.bronze_seen && *status.bronze_seen < bronze.version) {
    ARROW_ASSIGN_OR_RAISE(const auto unseen,
                          lake::CommitTime(store, bronze.table, *status.bronze_seen + 1));
    since = std::max(since, unseen);
  }
  if (!since) return std::nullopt;
  return WallClockMillis() - *since;
}

Result<ComponentHealth> JudgeRefine(const Config& config, lake::ObjectStore* store) {
  ARROW_ASSIGN_OR_RAISE(const auto status,
                        refine::ReadRefineStatus(store, refine::RefinePaths::From(config)));
  if (status.halt && status.halt->halted()) {
    return Refine(
        HealthState::kDown,
        fmt::format("halted: rule {} rejects {} of {}", status.halt->rule,
                    FormatCount(status.halt->found), Counted(status.halt->rows, "row")),
        "`shopstream refine status` shows more; accept the rejected rows with `shopstream refine "
        "accept " +
            status.halt->rule + "`");
  }
  ARROW_ASSIGN_OR_RAISE(const refine::RefineColumns columns, BronzeColumns(config, store));
  const Status usable = refine::CheckRefineFiles(config, columns);
  if (!usable.ok()) {
    return Refine(HealthState::kDegraded, usable.message(),
                  "correct the file; until then a running refine uses what it read before");
  }
  ARROW_ASSIGN_OR_RAISE(const auto wait_ms, WaitMillis(store, status));
  const bool is_due = status.rows_left() > 0 || !status.complete();
  const int64_t most_ms = status.rows_left() > kManyRows ? kLongestPassMs : kLongestWaitMs;
  if (is_due && wait_ms.value_or(INT64_MAX) > most_ms) {
    return Refine(
        HealthState::kDegraded,
        fmt::format("{} wait, and there was no pass for {}", Counted(status.rows_left(), "row"),
                    wait_ms ? FormatMillis(*wait_ms) : "a long time"),
        "start `shopstream refine --watch`, or see its log");
  }
  return Refine(
      HealthState::kOk,
      fmt::format("pass {}, {} behind Bronze", FormatCount(status.tables[1].pass.value_or(0)),
                  Counted(status.rows_left(), "row")),
      "");
}

ComponentHealth CheckRefine(const Config& config) {
  const auto store = lake::OpenObjectStore(config);
  if (!store.ok()) {
    return Refine(HealthState::kDegraded, store.status().message(), "see lake.uri");
  }
  auto health = JudgeRefine(config, store->get());
  if (health.ok()) return *std::move(health);
  if (health.status().IsKeyError()) {
    return Refine(HealthState::kOk, "not in use: " + health.status().message(), "");
  }
  if (KindOf(health.status()) == ErrorKind::kRefused) {
    const bool is_denied = observe::IsDenied(health.status());
    return Refine(is_denied ? HealthState::kNotAllowed : HealthState::kDown,
                  health.status().message(), "see the lake");
  }
  return Refine(HealthState::kDegraded, health.status().message(), "see the detail");
}

}  // namespace

observe::HealthCheck RefineHealthCheck(const Config& config) {
  return {"refine", [config] { return CheckRefine(config); }};
}

}  // namespace shopstream::console
