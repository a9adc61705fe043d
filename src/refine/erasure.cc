#include "refine/erasure.h"

#include <algorithm>
#include <utility>

#include "base/error_kind.h"
#include "base/json.h"
#include "base/log.h"
#include "base/runtime.h"
#include "tables/erased_offsets.h"
#include "tables/names.h"
#include "tables/progress.h"
#include "tables/record_types.h"
#include "tables/replayed_offsets.h"

namespace shopstream::refine {
namespace {

constexpr char kEraseOperation[] = "ERASE";
// Whoever produces records without a schema of a user often uses the user as the key.
constexpr char kKeyColumn[] = "user_id";

std::vector<std::string> NamesIn(const arrow::Schema& schema) { return schema.field_names(); }

// Replays count their commits in txns of the table: one that added rows since `base` was read would
// be overlooked.
bool WasReplayedSince(const lake::Snapshot& base, const lake::Snapshot& now) {
  std::set<std::string> topic_ids;
  for (const auto& [key, end] : tables::ReadProgress(now.Txns())) topic_ids.insert(key.topic_id);
  return std::ranges::any_of(topic_ids, [&](const std::string& topic_id) {
    const std::string app_id = tables::ReplayAppId(topic_id);
    return now.Txn(app_id) != base.Txn(app_id);
  });
}

// A running replay has to select its records again.
Status InterruptReplays(const std::set<std::string>& topic_ids, const lake::Snapshot& table,
                        lake::Changes* changes) {
  for (const std::string& topic_id : topic_ids) {
    ARROW_ASSIGN_OR_RAISE(const auto replayed, tables::ReadReplayed(table, topic_id));
    const std::string app_id = tables::ReplayAppId(topic_id);
    changes->txns[app_id] = table.Txn(app_id).value_or(0) + 1;
    changes->growth->properties[tables::ReplayedProperty(topic_id)] = replayed.Format();
  }
  return Status::OK();
}

}  // namespace

struct Erasure::Source {
  std::unique_ptr<lake::Table> side;  // Null: Bronze.
  lake::Table* table = nullptr;
  std::shared_ptr<const lake::Snapshot> base;
  std::vector<std::string> names;
  std::unique_ptr<RowPredicate> own_predicate;  // Of a side table.
  std::unique_ptr<ErasedRows> rows;
};

Result<std::unique_ptr<Erasure>> Erasure::Open(lake::ObjectStore* store, const RefineTables& tables,
                                               const tables::RefineTask& task,
                                               tables::EraseQuarantine quarantine,
                                               lake::RemovalOptions search) {
  std::unique_ptr<Erasure> erasure(
      new Erasure(store, tables, task, std::move(quarantine), std::move(search)));
  const auto bronze = tables.bronze->snapshot();
  ARROW_ASSIGN_OR_RAISE(erasure->columns_, RefineColumns::Of(tables.bronze->path(), *bronze));
  erasure->bronze_names_ = NamesIn(*erasure->columns_.bronze);
  ARROW_ASSIGN_OR_RAISE(erasure->predicate_,
                        RowPredicate::Open(task.predicate, erasure->columns_.bronze,
                                           RowPredicate::OnError::kNoMatch));
  return erasure;
}

ErasedRows Erasure::RowsOf(lake::Table* table, const std::vector<std::string>& names) {
  return ErasedRows(table, *columns_.bronze, names, predicate_.get(), search_);
}

// Copies of a purchase may differ in what the predicate asks for: every table is searched.
Status Erasure::FindIdentities(bool in_bronze, Identities* found) {
  if (in_bronze) {
    ARROW_RETURN_NOT_OK(RowsOf(tables_.bronze.get(), bronze_names_).FindIdentities(found));
  }
  ARROW_RETURN_NOT_OK(RowsOf(tables_.silver.get(), columns_.names).FindIdentities(found));
  return RowsOf(tables_.rejects.get(), columns_.names).FindIdentities(found);
}

// Side tables first: once Bronze is done, everything is.
Result<std::vector<Erasure::Source>> Erasure::OpenSources() {
  std::vector<Source> sources;
  const auto bronze = tables_.bronze->snapshot();
  ARROW_ASSIGN_OR_RAISE(const auto types, tables::ReadRecordTypes(*bronze));
  for (const auto& [type, path] : types) {
    Source source;
    ARROW_ASSIGN_OR_RAISE(source.side, tables::OpenSideTable(store_, path, type));
    source.table = source.side.get();
    source.base = source.table->snapshot();
    auto predicate =
        RowPredicate::Open(task_.predicate, source.base->schema(), RowPredicate::OnError::kNoMatch);
    if (!predicate.ok()) {
      Log::Warn("Side table {} is not searched: {}", path, predicate.status().message());
      continue;
    }
    source.own_predicate = *std::move(predicate);
    source.names = NamesIn(*source.base->schema());
    sources.push_back(std::move(source));
  }
  sources.push_back({.side = nullptr,
                     .table = tables_.bronze.get(),
                     .base = bronze,
                     .names = bronze_names_,
                     .own_predicate = nullptr,
                     .rows = nullptr});
  for (Source& source : sources) {
    RowPredicate* const predicate =
        source.own_predicate == nullptr ? predicate_.get() : source.own_predicate.get();
    source.rows = std::make_unique<ErasedRows>(source.table, *source.base->schema(), source.names,
                                               predicate, search_);
  }
  return sources;
}

Status Erasure::EraseSources(Millis commit_deadline) {
  const auto bronze = tables_.bronze->snapshot();
  ARROW_ASSIGN_OR_RAISE(const tables::LastErase last, tables::ReadLastErase(*bronze));
  if (last.task == task_.pass && last.at_ms == task_.at_ms) return Status::OK();
  Identities copies({RandomBits(), RandomBits()});
  ARROW_RETURN_NOT_OK(FindIdentities(/*in_bronze=*/true, &copies));
  ARROW_ASSIGN_OR_RAISE(std::vector<Source> sources, OpenSources());
  sources.back().rows->AddCopies(&copies);
  tables::QuarantineErased quarantined;
  if (quarantine_) {
    ARROW_ASSIGN_OR_RAISE(quarantined, EraseQuarantined(sources));
  }
  for (const Source& source : sources) {
    ARROW_RETURN_NOT_OK(Commit(source, quarantined, commit_deadline));
  }
  return Status::OK();
}

// Before the other tables: a record that a replay has added to one of them is known by its row
// there alone, as nobody keeps what became of a quarantined record's bytes.
Result<tables::QuarantineErased> Erasure::EraseQuarantined(const std::vector<Source>& sources) {
  tables::QuarantineChoice choice;
  choice.task = task_.pass;
  choice.search = search_;
  for (const Source& source : sources) {
    ARROW_RETURN_NOT_OK(source.rows->Find().status());
    tables::Merge(source.rows->offsets(), &choice.gone);
    ARROW_ASSIGN_OR_RAISE(const auto erased,
                          tables::ReadRemoved(*source.base, tables::Removal::kErased));
    tables::Merge(erased, &choice.gone);
  }
  choice.by_key = [this](const std::vector<std::optional<std::string>>& keys) {
    return predicate_->MatchesAlone(kKeyColumn, keys);
  };
  std::map<std::string, std::unique_ptr<RowPredicate>> by_table;
  choice.by_row = [&](const std::string& table,
                      const arrow::RecordBatch& rows) -> Result<std::vector<bool>> {
    auto [entry, is_new] = by_table.try_emplace(table);
    if (is_new) {
      auto predicate =
          RowPredicate::Open(task_.predicate, rows.schema(), RowPredicate::OnError::kNoMatch);
      if (predicate.ok()) entry->second = *std::move(predicate);
    }
    if (entry->second == nullptr) return std::vector<bool>(static_cast<size_t>(rows.num_rows()));
    return entry->second->Matches(rows);
  };
  return quarantine_(choice);
}

Status Erasure::Commit(const Source& source, const tables::QuarantineErased& quarantined,
                       Millis commit_deadline) {
  const bool is_bronze = source.side == nullptr;
  ARROW_ASSIGN_OR_RAISE(const lake::Removal removal, source.rows->Remove());
  if (removal.empty() && quarantined.topic_ids.empty() && !is_bronze) return Status::OK();
  const auto prepare = [&](const lake::Snapshot& now) -> Result<lake::ChangesOrRefusal> {
    if (!now.schema()->Equals(*removal.schema)) return lake::Refusal{"it has other columns by now"};
    if (WasReplayedSince(*source.base, now)) {
      return lake::Refusal{"a replay from quarantine has added rows"};
    }
    if (is_bronze) {
      ARROW_ASSIGN_OR_RAISE(const tables::LastErase last, tables::ReadLastErase(now));
      if (last.task == task_.pass && last.at_ms == task_.at_ms) {
        return lake::Refusal{"another refine has erased the rows"};
      }
    }
    lake::Changes changes = removal.ToChanges();
    changes.operation = kEraseOperation;
    changes.info = nlohmann::json{{"task", task_.pass},
                                  {"erasedRows", removal.rows},
                                  {"upToVersion", source.base->version()}};
    ARROW_ASSIGN_OR_RAISE(
        changes.growth->properties,
        tables::RemovedProperties(now, tables::Removal::kErased, source.rows->offsets()));
    ARROW_RETURN_NOT_OK(InterruptReplays(quarantined.topic_ids, now, &changes));
    if (is_bronze) {
      changes.info->emplace("quarantineNotExamined", quarantined.not_examined);
      changes.growth->properties.merge(tables::LastEraseProperty(
          {.task = task_.pass, .at_ms = task_.at_ms, .dates = source.rows->dates()}));
    }
    return changes;
  };
  const auto committed = source.table->Commit(prepare, BootClock::now() + commit_deadline);
  if (committed.ok() && committed->outcome == lake::CommitOutcome::kCommitted) return Status::OK();
  const bool may_be_there = committed.ok() && committed->outcome == lake::CommitOutcome::kUnknown;
  if (!may_be_there) lake::Discard(source.table, removal);
  ARROW_RETURN_NOT_OK(committed.status());
  return Unavailable(
      "the erase from ", source.table->path(),
      may_be_there ? " may not have been committed: " : " was not committed: ", committed->detail);
}

void Erasure::Record(const lake::Removal& removal, PassChanges* changes) const {
  changes->operation = kEraseOperation;
  changes->files = removal.adds;
  changes->removes = removal.removes;
  changes->written_since = removal.written_since;
  changes->info = {{"task", task_.pass}, {"erasedRows", removal.rows}};
}

Status Erasure::AddToRejects(PassChanges* changes) {
  const auto bronze = tables_.bronze->snapshot();
  ARROW_ASSIGN_OR_RAISE(const tables::LastErase last, tables::ReadLastErase(*bronze));
  ARROW_ASSIGN_OR_RAISE(const auto gone, tables::ReadRemoved(*bronze, tables::Removal::kErased));
  Identities copies({RandomBits(), RandomBits()});
  ARROW_RETURN_NOT_OK(FindIdentities(/*in_bronze=*/false, &copies));
  ErasedRows silver = RowsOf(tables_.silver.get(), columns_.names);
  ErasedRows rejects = RowsOf(tables_.rejects.get(), columns_.names);
  for (ErasedRows* rows : {&silver, &rejects}) {
    rows->AddCopies(&copies);
    rows->AddRows(&gone, last.dates);
  }
  ARROW_RETURN_NOT_OK(silver.Find().status());
  ARROW_ASSIGN_OR_RAISE(const lake::Removal removal, rejects.Remove());
  Record(removal, changes);
  tables::OffsetsByTopic both = silver.offsets();
  tables::Merge(rejects.offsets(), &both);
  ARROW_ASSIGN_OR_RAISE(
      changes->properties,
      tables::RemovedProperties(*tables_.rejects->snapshot(), tables::Removal::kErased, both));
  tables::RefineTask task = task_;
  task.dates = silver.dates();
  task.dates.insert(rejects.dates().begin(), rejects.dates().end());
  changes->properties.merge(tables::RefineTaskProperty(task));
  return Status::OK();
}

Status Erasure::AddToSilver(PassChanges* changes) {
  ARROW_ASSIGN_OR_RAISE(
      const auto gone, tables::ReadRemoved(*tables_.rejects->snapshot(), tables::Removal::kErased));
  ErasedRows silver = RowsOf(tables_.silver.get(), columns_.names);
  silver.AddRows(&gone, task_.dates);
  ARROW_ASSIGN_OR_RAISE(const lake::Removal removal, silver.Remove());
  Record(removal, changes);
  return Status::OK();
}

}  // namespace shopstream::refine
