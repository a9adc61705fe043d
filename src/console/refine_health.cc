#include "console/refine_health.h"

#include <fmt/format.h>

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

// Passes come every few seconds while rows wait; an idle refine makes one a minute.
constexpr int64_t kLongestSilenceMs = 120'000;

ComponentHealth Refine(HealthState state, std::string detail, std::string remedy) {
  return {"refine", state, std::move(detail), std::move(remedy)};
}

Result<refine::RefineColumns> BronzeColumns(const Config& config, lake::ObjectStore* store) {
  ARROW_ASSIGN_OR_RAISE(const auto bronze, lake::Table::Open(store, config.lake.bronze_table));
  return refine::RefineColumns::Of(bronze->path(), *bronze->snapshot());
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
  const refine::TableStanding& rejects = status.tables[1];
  ARROW_ASSIGN_OR_RAISE(const auto committed_ms,
                        lake::CommitTime(store, rejects.table, rejects.version));
  const int64_t silent_ms = WallClockMillis() - committed_ms.value_or(0);
  const bool is_due = status.rows_left() > 0 || !status.complete();
  if (is_due && silent_ms > kLongestSilenceMs) {
    const std::string since = committed_ms ? FormatMillis(silent_ms) : "a long time";
    return Refine(HealthState::kDegraded,
                  fmt::format("{} wait, and there was no pass for {}",
                              Counted(status.rows_left(), "row"), since),
                  "start `shopstream refine --watch`, or see its log");
  }
  return Refine(HealthState::kOk,
                fmt::format("pass {}, {} behind Bronze", FormatCount(rejects.pass.value_or(0)),
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
