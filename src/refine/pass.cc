#include "refine/pass.h"

#include <set>
#include <string_view>
#include <utility>
#include <variant>

#include "base/error_kind.h"
#include "base/json.h"

namespace shopstream::refine {
namespace {

constexpr char kReserveOperation[] = "RESERVE TASK";

lake::Refusal LostTo(const lake::Snapshot& table) {
  return {.why = "it holds pass " + std::to_string(tables::RefinePass(table).value_or(0)),
          .code = static_cast<int>(PassOutcome::kLost)};
}

bool Holds(const lake::Snapshot& table, int64_t pass) {
  return tables::RefinePass(table).value_or(0) == pass;
}

// Whether another task was reserved since.
bool HasNewerTask(const lake::Snapshot& table, int64_t task) {
  return tables::RefineTaskPass(table) > task;
}

bool AreLive(const lake::Snapshot& table, const std::vector<DataFile>& files) {
  if (files.empty()) return true;
  std::set<std::string_view> missing;
  for (const DataFile& file : files) missing.insert(file.path);
  table.VisitFiles([&](const DataFile& file) { missing.erase(file.path); });
  return missing.empty();
}

std::string ValueOf(const lake::Snapshot& table, const std::string& property) {
  const std::string* value = lake::FindProperty(table, property);
  return value == nullptr ? "" : *value;
}

// Those that the table does not have in this form.
std::map<std::string, std::string> NewOnes(const std::map<std::string, std::string>& properties,
                                           const lake::Snapshot& table) {
  std::map<std::string, std::string> changed;
  for (const auto& [name, value] : properties) {
    const std::string* known = lake::FindProperty(table, name);
    if (known == nullptr ? !value.empty() : *known != value) changed[name] = value;
  }
  return changed;
}

Result<PassOutcome> FromCommit(const Result<lake::CommitResult>& committed,
                               const lake::Table& table) {
  ARROW_RETURN_NOT_OK(committed.status());
  switch (committed->outcome) {
    case lake::CommitOutcome::kCommitted:
      return PassOutcome::kDone;
    case lake::CommitOutcome::kConflict:
      if (committed->too_old) return PassOutcome::kAgain;
      if (committed->refusal && committed->refusal->code) {
        return static_cast<PassOutcome>(*committed->refusal->code);
      }
      return Unavailable("a commit to ", table.path(), " was not made: ", committed->detail);
    case lake::CommitOutcome::kUnknown:
      break;
  }
  return Unavailable("storage did not report whether a commit to ", table.path(),
                     " took effect: ", committed->detail);
}

}  // namespace

Result<CommittedPass> CommitPass(lake::Table* table, const PassChanges& changes,
                                 BootClock::time_point deadline) {
  const int64_t pass = changes.standing.pass.value();
  const auto prepare = [&](const lake::Snapshot& snapshot) -> Result<lake::ChangesOrRefusal> {
    if (!Holds(snapshot, pass - 1) || HasNewerTask(snapshot, changes.standing.task)) {
      return LostTo(snapshot);
    }
    if (!AreLive(snapshot, changes.removes)) {
      return lake::Refusal{.why = "a file that it replaces was replaced by another writer",
                           .code = static_cast<int>(PassOutcome::kAgain)};
    }
    lake::Changes commit;
    commit.operation = changes.operation;
    commit.adds = changes.files;
    commit.written_since = changes.written_since;
    commit.removes = changes.removes;
    commit.txns = tables::RefineTxns(changes.standing);
    commit.info = nlohmann::json(changes.info);
    commit.info["refinePass"] = pass;
    lake::TableGrowth growth{.columns = changes.columns,
                             .properties = NewOnes(changes.properties, snapshot)};
    growth.properties.merge(tables::RefineProperties(changes.standing, snapshot));
    commit.growth = std::move(growth);
    return commit;
  };
  const auto committed = table->Commit(prepare, deadline);
  ARROW_ASSIGN_OR_RAISE(const PassOutcome outcome, FromCommit(committed, *table));
  return CommittedPass{.outcome = outcome, .version = committed->version};
}

Result<PassOutcome> ReserveTask(lake::Table* rejects, const tables::RefineTask& task,
                                BootClock::time_point deadline) {
  const auto prepare = [&](const lake::Snapshot& snapshot) -> Result<lake::ChangesOrRefusal> {
    if (!Holds(snapshot, task.pass - 1) || HasNewerTask(snapshot, task.pass - 1)) {
      return LostTo(snapshot);
    }
    lake::Changes commit;
    commit.operation = kReserveOperation;
    commit.data_change = false;
    commit.txns = {tables::RefineTaskTxn(task.pass)};
    commit.growth = lake::TableGrowth{.columns = snapshot.schema(),
                                      .properties = tables::RefineTaskProperty(task)};
    return commit;
  };
  return FromCommit(rejects->Commit(prepare, deadline), *rejects);
}

Result<PassOutcome> CommitProperties(lake::Table* table, int64_t pass, const std::string& operation,
                                     const std::map<std::string, std::string>& properties,
                                     BootClock::time_point deadline) {
  const auto seen = table->snapshot();
  if (NewOnes(properties, *seen).empty() && Holds(*seen, pass)) return PassOutcome::kDone;
  const auto prepare = [&](const lake::Snapshot& snapshot) -> Result<lake::ChangesOrRefusal> {
    if (!Holds(snapshot, pass)) return LostTo(snapshot);
    for (const auto& [name, value] : properties) {
      if (ValueOf(snapshot, name) != ValueOf(*seen, name)) {
        return lake::Refusal{.why = "another program has set " + name,
                             .code = static_cast<int>(PassOutcome::kLost)};
      }
    }
    lake::Changes commit;
    commit.operation = operation;
    commit.data_change = false;
    commit.growth = lake::TableGrowth{.columns = snapshot.schema(),
                                      .properties = NewOnes(properties, snapshot)};
    return commit;
  };
  return FromCommit(table->Commit(prepare, deadline), *table);
}

}  // namespace shopstream::refine
