#include "simulate/refine_watch.h"

#include <arrow/array/array_primitive.h>
#include <arrow/table.h>

#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "lake/parquet/parquet_file.h"
#include "lake/parquet/partition_path.h"

namespace shopstream::simulate {
namespace {

constexpr std::string_view kLog = "/_delta_log/";
constexpr char kQuality[] = "gold-metrics/quality_daily";
constexpr char kWatchedApp[] = "shopstream-refine";

bool IsGold(const std::string& table) { return table.starts_with(kGoldFolder); }

// A task may remove rows.
bool IsTask(const std::string& operation) {
  return operation == "RESTATE" || operation == "ERASE" || operation == "RETAIN";
}

std::string DateOf(const nlohmann::json& add) {
  const auto date = add.at("partitionValues").find("date");
  return date == add.at("partitionValues").end() || date->is_null() ? "" : date->get<std::string>();
}

int64_t RecordsOf(const nlohmann::json& add) {
  const auto statistics = ParseJson(add.value("stats", ""));
  return statistics.is_object() ? statistics.value("numRecords", int64_t{0}) : 0;
}

std::string OperationOf(const std::vector<nlohmann::json>& actions) {
  for (const auto& action : actions) {
    const auto info = action.find("commitInfo");
    if (info != action.end()) return info->value("operation", "");
  }
  return "";
}

}  // namespace

RefineWatch::RefineWatch(RefineWorld* world) : world_(world) {
  world->store.on_create = [this](const std::string& path, const arrow::Buffer& content) {
    OnCreate(path, content);
  };
}

void RefineWatch::OnCreate(const std::string& path, const arrow::Buffer& content) {
  const size_t log = path.find(kLog);
  if (log == std::string::npos || !path.ends_with(".json")) return;
  const std::string table = path.substr(0, log);
  if (table != kSilverTable && table != kRejectsTable && !IsGold(table)) return;
  TableState& state = tables_[table];
  const auto before = state.pass;
  std::istringstream lines(content.ToString());
  std::vector<nlohmann::json> actions;
  for (std::string line; std::getline(lines, line);) actions.push_back(ParseJson(line));
  const std::string operation = OperationOf(actions);
  if (operation == "HALT REFINE") world_->trace.Count("refine: halted");
  for (const auto& action : actions) OnAction(table, action, operation, &state);
  if (!state.pass || state.pass == before) return;
  if (table == kRejectsTable) {
    if (operation == "RESTATE") restates_.insert(*state.pass);
    if (operation == "RESTATE") world_->trace.Count("refine: restated");
    if (operation == "ERASE") world_->trace.Count("refine: erased");
    if (operation == "RETAIN") world_->trace.Count("refine: retained");
  }
  OnPass(table, before, *state.pass);
}

void RefineWatch::OnAction(const std::string& table, const nlohmann::json& action,
                           const std::string& operation, TableState* state) {
  if (const auto add = action.find("add"); add != action.end()) {
    const std::string path = lake::DecodeLogPath(add->value("path", ""));
    state->files[path] = {.date = DateOf(*add),
                          .rows = table == kQuality ? CountedBy(path) : RecordsOf(*add)};
  }
  if (const auto remove = action.find("remove"); remove != action.end()) {
    state->files.erase(lake::DecodeLogPath(remove->value("path", "")));
    if (!IsGold(table) && !IsTask(operation) && remove->value("dataChange", true)) {
      Fail(table + " lost rows by " + remove->value("path", ""));
    }
  }
  if (const auto metadata = action.find("metaData");
      metadata != action.end() && table == kSilverTable) {
    OnHorizon(metadata->at("configuration").value("shopstream.horizon", ""));
  }
  if (const auto txn = action.find("txn");
      txn != action.end() && txn->value("appId", "") == kWatchedApp) {
    state->pass = txn->value("version", int64_t{-1});
  }
}

int64_t RefineWatch::CountedBy(const std::string& quality_file) {
  const auto look = world_->Look();
  const auto count = arrow::field("bronze_rows", arrow::int64());
  const auto silver = arrow::field("silver_rows", arrow::int64());
  const auto rejected = arrow::field("rejected_rows", arrow::int64());
  const auto duplicate = arrow::field("duplicate_rows", arrow::int64());
  DataFile file;
  file.path = quality_file;
  const auto read = lake::ReadDataFile(look.get(), kQuality, file,
                                       arrow::schema({count, silver, rejected, duplicate}));
  if (!read.ok()) {
    Fail(quality_file + ": " + read.status().ToString());
    return 0;
  }
  const auto rows = (*read)->CombineChunksToBatch().ValueOrDie();
  int64_t sum = 0;
  const auto value = [&](int column, int64_t row) {
    return static_cast<const arrow::Int64Array&>(*rows->column(column)).Value(row);
  };
  for (int64_t row = 0; row < rows->num_rows(); ++row) {
    sum += value(0, row);
    if (value(0, row) != value(1, row) + value(2, row) + value(3, row)) {
      Fail(quality_file + " does not add up");
    }
  }
  return sum;
}

std::map<std::string, int64_t> RefineWatch::Rows(const std::string& table, bool closed) const {
  std::map<std::string, int64_t> rows;
  const auto found = tables_.find(table);
  if (found == tables_.end()) return rows;
  for (const auto& [path, file] : found->second.files) {
    if (IsClosed(file.date) == closed) rows[file.date] += file.rows;
  }
  return rows;
}

void RefineWatch::OnHorizon(const std::string& horizon) {
  if (horizon == horizon_) return;
  if (horizon < horizon_) Fail("Silver's horizon went back to " + horizon);
  horizon_ = horizon;
  world_->trace.Count("refine: dates closed");
  // What had been closed before has not changed.
  for (const auto& [date, rows] : Rows(kQuality, /*closed=*/true)) {
    if (closed_.emplace(date, rows).first->second != rows)
      Fail("a closed date was changed: " + date);
  }
}

void RefineWatch::CheckQuality(int64_t pass) {
  std::map<std::string, int64_t> had = Rows(kSilverTable, /*closed=*/false);
  for (const auto& [date, rows] : Rows(kRejectsTable, /*closed=*/false)) had[date] += rows;
  const auto counted = Rows(kQuality, /*closed=*/false);
  const auto text = [](const std::map<std::string, int64_t>& rows) {
    return nlohmann::json(rows).dump();
  };
  if (counted != had) {
    Fail("pass " + std::to_string(pass) + " counts " + text(counted) + " rows of " + text(had));
  }
  const auto closed = Rows(kQuality, /*closed=*/true);
  if (closed != closed_) {
    Fail("pass " + std::to_string(pass) + " counts " + text(closed) +
         " rows of closed dates: " + text(closed_));
  }
}

int64_t RefineWatch::PassOf(const std::string& table) const {
  const auto found = tables_.find(table);
  return found == tables_.end() ? 0 : found->second.pass.value_or(0);
}

void RefineWatch::OnPass(const std::string& table, std::optional<int64_t> before, int64_t pass) {
  const std::string what = table + " went from pass " + std::to_string(before.value_or(0)) +
                           " to " + std::to_string(pass);
  world_->trace.Count(table == kRejectsTable ? "refine: pass" : "refine: pass in another table");
  if (!IsGold(table) || before) {
    if (pass != before.value_or(0) + 1) Fail(what);
  }
  if (table == kRejectsTable) {
    for (const auto& [other, state] : tables_) {
      if (other != kRejectsTable && state.pass.value_or(0) != pass - 1) {
        Fail(what + " while " + other + " has pass " + std::to_string(state.pass.value_or(0)));
      }
    }
    return;
  }
  const std::string source = table == kSilverTable ? kRejectsTable : kSilverTable;
  if (pass > PassOf(source) || pass < PassOf(kRejectsTable) - 1) {
    Fail(what + " while " + source + " has pass " + std::to_string(PassOf(source)));
  }
  if (table == kQuality) CheckQuality(pass);
}

std::optional<int64_t> RefineWatch::CompletePass() const {
  std::optional<int64_t> pass;
  for (const auto& [table, state] : tables_) {
    if (pass && *pass != state.pass.value_or(0)) return std::nullopt;
    pass = state.pass.value_or(0);
  }
  return pass;
}

}  // namespace shopstream::simulate
