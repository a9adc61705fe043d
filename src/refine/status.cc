#include "refine/status.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/json.h"
#include "lake/delta/table_history.h"
#include "refine/fingerprint_uses.h"
#include "refine/pass.h"
#include "tables/complete_pass.h"
#include "tables/progress.h"
#include "tables/refine_state.h"

namespace shopstream::refine {
namespace {

constexpr Millis kAcceptDeadline{10'000};

TableStanding StandingOf(const std::string& path, const lake::Snapshot& snapshot,
                         const tables::RefineStanding& standing) {
  TableStanding table{.table = path,
                      .version = snapshot.version(),
                      .pass = standing.pass,
                      .complete_through_ms = standing.complete_through_ms};
  bool counted = true;
  snapshot.VisitFiles([&](const DataFile& file) {
    counted = counted && file.rows >= 0;
    table.rows += file.rows;
  });
  if (!counted) table.rows = -1;
  return table;
}

std::vector<PartitionLag> LagsOf(const std::map<tables::ProgressKey, int64_t>& bronze,
                                 const std::map<tables::ProgressKey, int64_t>& refined) {
  std::vector<PartitionLag> lags;
  for (const auto& [key, end] : bronze) {
    const auto found = refined.find(key);
    lags.push_back({.topic_id = key.topic_id,
                    .partition = key.partition,
                    .refined = found == refined.end() ? 0 : found->second,
                    .bronze = end});
  }
  return lags;
}

Status AddGold(lake::ObjectStore* store, const std::string& folder, RefineStatus* status) {
  ARROW_ASSIGN_OR_RAISE(const auto paths, lake::FindTables(store));
  for (const std::string& path : paths) {
    if (!path.starts_with(folder + "/")) continue;
    ARROW_ASSIGN_OR_RAISE(const auto table, lake::Table::Open(store, path));
    const auto snapshot = table->snapshot();
    ARROW_ASSIGN_OR_RAISE(const auto standing, tables::ReadRefineStanding(*snapshot));
    if (!standing.pass) continue;
    TableStanding& gold = status->tables.emplace_back(StandingOf(path, *snapshot, standing));
    gold.filled = tables::IsFilled(*standing.pass, status->tables[1].pass.value_or(0));
  }
  return Status::OK();
}

// The least of all tables of refine; nothing: one does not know it.
std::optional<int64_t> LeastThrough(const std::vector<TableStanding>& tables) {
  std::optional<int64_t> least;
  for (const TableStanding& table : tables) {
    if (!table.pass || !table.filled) continue;
    if (!table.complete_through_ms) return std::nullopt;
    least = std::min(least.value_or(*table.complete_through_ms), *table.complete_through_ms);
  }
  return least;
}

nlohmann::ordered_json TimeOrNull(std::optional<int64_t> unix_ms) {
  return unix_ms ? nlohmann::ordered_json(FormatTimestamp(*unix_ms)) : nlohmann::ordered_json();
}

}  // namespace

int64_t RefineStatus::rows_left() const {
  int64_t rows = 0;
  for (const PartitionLag& lag : partitions) rows += std::max<int64_t>(0, lag.bronze - lag.refined);
  return rows;
}

bool RefineStatus::complete() const {
  if (task) return false;
  std::optional<int64_t> pass;
  for (const TableStanding& table : tables) {
    if (!table.pass || !table.filled) continue;
    if (pass.value_or(*table.pass) != *table.pass) return false;
    pass = table.pass;
  }
  return true;
}

nlohmann::ordered_json ToJson(const RefineStatus& status) {
  nlohmann::ordered_json tables = nlohmann::ordered_json::array();
  for (const TableStanding& table : status.tables) {
    tables.push_back({{"table", table.table},
                      {"version", table.version},
                      {"rows", table.rows},
                      {"pass", table.pass ? nlohmann::ordered_json(*table.pass) : nullptr},
                      {"filled", table.filled},
                      {"complete_through", TimeOrNull(table.complete_through_ms)}});
  }
  nlohmann::ordered_json partitions = nlohmann::ordered_json::array();
  for (const PartitionLag& lag : status.partitions) {
    partitions.push_back({{"topic_id", lag.topic_id},
                          {"partition", lag.partition},
                          {"refined", lag.refined},
                          {"bronze", lag.bronze}});
  }
  nlohmann::ordered_json halt;
  if (status.halt && status.halt->halted()) {
    halt = {{"pass", status.halt->pass},
            {"rule", status.halt->rule},
            {"found", status.halt->found},
            {"rows", status.halt->rows},
            {"at", FormatTimestamp(status.halt->at_ms)}};
  }
  nlohmann::ordered_json task;
  if (status.task) {
    task = {{"pass", status.task->pass},
            {"kind", Name(status.task->kind)},
            {"since", FormatTimestamp(status.task->at_ms)}};
  }
  return {{"tables", std::move(tables)},
          {"partitions", std::move(partitions)},
          {"rows_left", status.rows_left()},
          {"complete", status.complete()},
          {"complete_through", TimeOrNull(status.complete_through_ms)},
          {"rules", status.rules},
          {"rules_since_pass", status.rules_since},
          {"halt", std::move(halt)},
          {"task", std::move(task)}};
}

Result<RefineStatus> ReadRefineStatus(lake::ObjectStore* store, const RefinePaths& paths) {
  ARROW_ASSIGN_OR_RAISE(const auto bronze, ReadNewest(store, paths.bronze, "shopstream ingest"));
  ARROW_ASSIGN_OR_RAISE(const auto rejects, ReadNewest(store, paths.rejects, "shopstream refine"));
  ARROW_ASSIGN_OR_RAISE(const auto silver, ReadNewest(store, paths.silver, "shopstream refine"));
  ARROW_ASSIGN_OR_RAISE(const auto in_rejects, tables::ReadRefineStanding(*rejects));
  ARROW_ASSIGN_OR_RAISE(const auto in_silver, tables::ReadRefineStanding(*silver));
  RefineStatus status;
  status.tables = {StandingOf(paths.bronze, *bronze, {}),
                   StandingOf(paths.rejects, *rejects, in_rejects),
                   StandingOf(paths.silver, *silver, in_silver)};
  ARROW_RETURN_NOT_OK(AddGold(store, paths.gold_folder, &status));
  status.partitions = LagsOf(tables::ReadProgress(bronze->Txns()), in_silver.ends);
  if (in_rejects.bronze_seen) status.bronze_seen = in_rejects.bronze_seen->version;
  status.complete_through_ms = LeastThrough(status.tables);
  ARROW_ASSIGN_OR_RAISE(status.halt,
                        tables::ReadRefineHalt(*rejects, in_rejects.pass.value_or(0) + 1));
  ARROW_ASSIGN_OR_RAISE(const auto task, tables::ReadRefineTask(*rejects));
  const bool has_ended = std::ranges::all_of(status.tables, [&](const TableStanding& table) {
    return !table.pass || !table.filled || *table.pass >= in_rejects.task;
  });
  if (task && !has_ended) status.task = task;
  ARROW_ASSIGN_OR_RAISE(const auto uses, ReadFingerprintUses(*rejects));
  if (!uses.empty()) {
    status.rules = uses.back().fingerprint;
    status.rules_since = uses.back().first_pass;
  }
  return status;
}

Result<tables::RefineHalt> AcceptHalt(lake::Table* rejects, const std::string& rule) {
  const auto snapshot = rejects->snapshot();
  const int64_t pass = tables::RefinePass(*snapshot).value_or(0);
  ARROW_ASSIGN_OR_RAISE(const auto halt, tables::ReadRefineHalt(*snapshot, pass + 1));
  if (!halt || halt->rule != rule) {
    return Status::KeyError("rule ", rule,
                            " does not halt refining: see `shopstream refine status`");
  }
  tables::RefineHalt accepted = *halt;
  accepted.accepted.insert(rule);
  accepted.rule.clear();
  ARROW_ASSIGN_OR_RAISE(
      const PassOutcome outcome,
      CommitProperties(rejects, pass, "ACCEPT HALT", tables::RefineHaltProperty(accepted),
                       BootClock::now() + kAcceptDeadline));
  if (outcome != PassOutcome::kDone) {
    return Unavailable("another pass was committed meanwhile: see `shopstream refine status`");
  }
  return *halt;
}

}  // namespace shopstream::refine
