#include "ingest/quarantine_replay.h"

#include <utility>
#include <variant>

#include "base/error_kind.h"
#include "base/json.h"
#include "base/log.h"
#include "base/probes.h"
#include "base/runtime.h"
#include "ingest/cut_files.h"
#include "ingest/pipeline.h"
#include "ingest/side_layout.h"
#include "ingest/table_growth.h"
#include "lake/delta/existing_table.h"
#include "lake/store/object_store.h"
#include "model/calendar.h"
#include "registry/client.h"
#include "tables/columns.h"
#include "tables/erased_offsets.h"
#include "tables/names.h"
#include "tables/progress.h"
#include "tables/quarantined_row.h"
#include "tables/replayed_offsets.h"

namespace shopstream::ingest {
namespace {

bool Passes(const tables::QuarantinedRows& rows, int64_t row, const std::string& topic,
            const ReplayFilter& filter) {
  if (rows.TopicAt(row) != topic || !rows.coordinates().At(row)) return false;
  if (!filter.cause.empty() && rows.CauseAt(row) != filter.cause) return false;
  const std::optional<int64_t> micros = rows.TimestampAt(row);
  if (!micros) return !filter.since_ms && !filter.until_ms;
  const int64_t millis = *micros / 1000;
  return millis >= filter.since_ms.value_or(millis) &&
         millis < filter.until_ms.value_or(millis + 1);
}

Status Stopped() {
  return Status::Cancelled(
      "the replay was stopped; committed records are kept, and running it again adds the rest");
}

// The offsets of the rows, none of which was in the table when they were selected.
tables::ReplayedOffsets OffsetsOf(const TableRows& rows) {
  tables::ReplayedOffsets offsets;
  for (size_t row = 0; row < rows.kafka_offset.size(); ++row) {
    offsets.Insert(rows.kafka_partition[row], rows.kafka_offset[row]);
  }
  return offsets;
}

// The rows that the next commit adds: those of one table. Null: there are none.
const TableRows* FirstRows(const Cut& cut) {
  if (!cut.bronze.kafka_offset.empty()) return &cut.bronze;
  return cut.sides.empty() ? nullptr : &cut.sides.front();
}

// The offsets of the rows that another commit has to add.
tables::ReplayedOffsets OffsetsOfOthers(const Cut& cut, const TableRows* first) {
  tables::ReplayedOffsets offsets;
  for (const TableRows& side : cut.sides) {
    if (&side != first) offsets.Merge(OffsetsOf(side));
  }
  return offsets;
}

tables::ReplayedOffsets OffsetsOf(const std::vector<QuarantinedRecord>& records) {
  tables::ReplayedOffsets offsets;
  for (const QuarantinedRecord& record : records) offsets.Insert(record.partition, record.offset);
  return offsets;
}

// Bronze, and its layout. A dry run creates nothing.
struct OpenBronze {
  std::unique_ptr<lake::Table> table;
  std::shared_ptr<const BronzeLayout> layout;
};
Result<OpenBronze> OpenForReplay(lake::ObjectStore* store, registry::SchemaSource* registry,
                                 const std::string& topic, const LayoutOptions& options,
                                 bool dry_run) {
  OpenBronze bronze;
  if (dry_run) {
    ARROW_ASSIGN_OR_RAISE(bronze.table, lake::OpenExisting(store, options.table));
    ARROW_ASSIGN_OR_RAISE(bronze.layout,
                          LayoutOf(*bronze.table->snapshot(), registry, topic, options));
    return bronze;
  }
  ARROW_ASSIGN_OR_RAISE(bronze.layout, FindLayout(store, registry, topic, options));
  ARROW_ASSIGN_OR_RAISE(bronze.table, lake::Table::OpenOrCreate(store, bronze.layout->table));
  return bronze;
}

}  // namespace

ReplayCounts& ReplaySummary::GroupOf(const QuarantinedRecord& record) {
  ReplayGroup group{std::string(Name(record.cause)), record.schema_id};
  const auto known = groups.find(group);
  if (known != groups.end()) return known->second;
  if (groups.size() >= kMostGroups) group.schema_id.reset();
  return groups[group];
}

int64_t ReplaySummary::examined() const {
  int64_t records = replayed + already_there + awaited;
  for (const auto& [cause, count] : unreadable) records += count;
  return records;
}

QuarantineReplay::QuarantineReplay(std::shared_ptr<const BronzeLayout> layout, std::string topic,
                                   lake::Table* bronze, lake::Table* quarantine, SideTables* sides,
                                   SchemaCache* schemas, Options options)
    : topic_(std::move(topic)),
      bronze_(bronze),
      quarantine_(quarantine),
      sides_(sides),
      options_(std::move(options)),
      decoder_(std::move(layout), sides, schemas,
               {.open_partitions = options_.open_partitions, .stop = options_.stop}) {
  Count({});
}

Result<ReplaySummary> QuarantineReplay::Run(const ReplayFilter& filter) {
  summary_ = {};
  batches_.clear();
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, quarantine_->Refresh());
  for (const DataFile& file : snapshot->Files()) {
    ARROW_RETURN_NOT_OK(TakeFile(*snapshot, file, filter));
  }
  for (auto& [topic_id, batch] : std::exchange(batches_, {})) {
    ARROW_RETURN_NOT_OK(Flush(topic_id, std::move(batch.records)));
  }
  return summary_;
}

Status QuarantineReplay::TakeFile(const lake::Snapshot& snapshot, const DataFile& file,
                                  const ReplayFilter& filter) {
  const auto take = [&](const tables::QuarantinedRows& rows) -> Status {
    Probes::OfProcess().Beat();
    for (int64_t row = 0; row < rows.size(); ++row) {
      if (!Passes(rows, row, topic_, filter)) continue;
      const tables::QuarantinedRow stored = rows.Read(row);
      Batch& batch = batches_[stored.topic_id];
      batch.records.push_back(RecordOf(stored));
      batch.bytes += static_cast<int64_t>(batch.records.back().value.value_or("").size());
      if (std::ssize(batch.records) >= options_.batch_rows || batch.bytes >= options_.batch_bytes) {
        ARROW_RETURN_NOT_OK(Flush(stored.topic_id, std::exchange(batch, {}).records));
      }
    }
    return Status::OK();
  };
  return tables::VisitQuarantined(quarantine_->store(), quarantine_->path(), file,
                                  snapshot.schema(), take);
}

// Repeats until no record is left, however often other writers win the commit.
Status QuarantineReplay::Flush(const std::string& topic_id, std::vector<QuarantinedRecord> left) {
  Retry retry({.patience = options_.patience,
               .stop = StopToken(options_.stop),
               .gave_up = "Gave up the replay",
               .on_wait = [this](const Status& why, Millis pause) {
                 retries_.Add();
                 Log::Warn("The replay waits: {}. Retrying in {} ms.", why.message(),
                           pause.count());
               }});
  while (!left.empty()) {
    if (options_.stop()) return Stopped();
    const Status status = TryCut(topic_id, &left);
    if (status.ok()) {
      options_.progress(summary_);
      retry.Succeeded();
      continue;
    }
    ARROW_RETURN_NOT_OK(retry.Wait(status));
  }
  return Status::OK();
}

Result<QuarantineReplay::Snapshots> QuarantineReplay::Refresh() {
  Snapshots tables;
  ARROW_ASSIGN_OR_RAISE(const auto bronze, bronze_->Refresh());
  tables[bronze_->path()] = bronze;
  ARROW_ASSIGN_OR_RAISE(tables[quarantine_->path()], quarantine_->Refresh());
  if (sides_ == nullptr) return tables;
  ARROW_RETURN_NOT_OK(sides_->OpenAnnounced(*bronze));
  for (lake::Table* side : sides_->Open()) {
    ARROW_ASSIGN_OR_RAISE(tables[side->path()], side->Refresh());
  }
  return tables;
}

// One commit to one table of as many records as fit into a cut. Decided records are removed from
// `left`.
Status QuarantineReplay::TryCut(const std::string& topic_id, std::vector<QuarantinedRecord>* left) {
  ARROW_ASSIGN_OR_RAISE(const Snapshots base, Refresh());
  ReplaySummary counted = summary_;
  ARROW_ASSIGN_OR_RAISE(const auto records, Choose(base, topic_id, *left, &counted));
  size_t taken = 0;
  ARROW_ASSIGN_OR_RAISE(Cut cut, decoder_.Decode(*base.at(bronze_->path()), records, &taken));
  cut.topic = topic_;
  cut.topic_id = topic_id;
  cut.ingested_at_ms = WallClockMillis();
  for (const QuarantinedRecord& record : cut.quarantined) {
    ++counted.unreadable[std::string(Name(record.cause))];
  }
  tables::ReplayedOffsets others;
  const TableRows* const rows = FirstRows(cut);
  if (rows != nullptr && !options_.dry_run) {
    ARROW_RETURN_NOT_OK(Commit(base, cut, *rows));
    ++counted.commits;
    others = OffsetsOfOthers(cut, rows);
  }
  const tables::ReplayedOffsets unreadable = OffsetsOf(cut.quarantined);
  std::vector<QuarantinedRecord> rest;
  for (size_t i = 0; i < records.size(); ++i) {
    QuarantinedRecord& record = *records[i];
    if (i >= taken || others.Contains(record.partition, record.offset)) {
      rest.push_back(std::move(record));
    } else {
      CountDecided(record, !unreadable.Contains(record.partition, record.offset), &counted);
    }
  }
  *left = std::move(rest);
  Count(std::move(counted));
  return Status::OK();
}

void QuarantineReplay::CountDecided(const QuarantinedRecord& record, bool is_readable,
                                    ReplaySummary* counted) {
  ReplayCounts& group = counted->GroupOf(record);
  counted->replayed += is_readable;
  ++(is_readable ? group.replayed : group.unreadable);
}

void QuarantineReplay::Count(ReplaySummary counted) {
  if (options_.dry_run) {
    summary_ = std::move(counted);
    return;
  }
  const auto unreadable = [](const ReplaySummary& summary) {
    int64_t sum = 0;
    for (const auto& [cause, records] : summary.unreadable) sum += records;
    return sum;
  };
  records_.With({"replayed"}).Add(counted.replayed - summary_.replayed);
  records_.With({"already_there"}).Add(counted.already_there - summary_.already_there);
  records_.With({"awaits_ingest"}).Add(counted.awaited - summary_.awaited);
  records_.With({"still_unreadable"}).Add(unreadable(counted) - unreadable(summary_));
  commits_.Add(counted.commits - summary_.commits);
  summary_ = std::move(counted);
}

// Selects the records that are in none of the tables, that nobody has erased meanwhile, and that
// ingest has passed.
Result<std::vector<QuarantinedRecord*>> QuarantineReplay::Choose(
    const Snapshots& tables, const std::string& topic_id, std::vector<QuarantinedRecord>& left,
    ReplaySummary* summary) {
  tables::ReplayedOffsets taken;
  for (const auto& [path, snapshot] : tables) {
    ARROW_ASSIGN_OR_RAISE(const auto replayed, tables::ReadReplayed(*snapshot, topic_id));
    taken.Merge(replayed);
    ARROW_ASSIGN_OR_RAISE(const auto removed, tables::ReadRemoved(*snapshot));
    const auto of_topic = removed.find(topic_id);
    if (of_topic != removed.end()) taken.Merge(of_topic->second);
  }
  const lake::Snapshot& bronze = *tables.at(bronze_->path());
  std::vector<QuarantinedRecord*> chosen;
  for (QuarantinedRecord& record : left) {
    if (taken.Contains(record.partition, record.offset)) {
      ++summary->already_there;
      ++summary->GroupOf(record).already_there;
    } else if (record.offset >=
               bronze.Txn(tables::ProgressAppId(topic_id, record.partition)).value_or(0)) {
      ++summary->awaited;
      ++summary->GroupOf(record).awaited;
    } else {
      taken.Insert(record.partition, record.offset);
      chosen.push_back(&record);
    }
  }
  return chosen;
}

Result<lake::Table*> QuarantineReplay::TableOf(const TableRows& rows) {
  if (rows.layout->options.table == bronze_->path()) return bronze_;
  const auto allows = [](const lake::Snapshot&) { return true; };
  ARROW_ASSIGN_OR_RAISE(
      lake::Table* const side,
      sides_->Provide(*rows.layout, bronze_, allows, BootClock::now() + options_.commit_deadline));
  if (side == nullptr) return Unavailable("the tables of other record types have changed");
  return side;
}

Status QuarantineReplay::Commit(const Snapshots& base, const Cut& cut, const TableRows& added) {
  const BootClock::time_point begun = BootClock::now();
  ARROW_ASSIGN_OR_RAISE(lake::Table* const table, TableOf(added));
  const std::string app_id = tables::ReplayAppId(cut.topic_id);
  const auto known = base.find(table->path());
  const auto fence = known == base.end() ? std::nullopt : known->second->Txn(app_id);
  const tables::ReplayedOffsets brought = OffsetsOf(added);
  lake::Changes rows;
  rows.written_since = begun;
  ARROW_ASSIGN_OR_RAISE(rows.adds, WriteRowFiles(table->store(), cut, added));
  rows.txns = {{app_id, fence.value_or(0) + 1}};
  rows.info = nlohmann::json{{"kafkaTopic", cut.topic},
                             {"kafkaTopicId", cut.topic_id},
                             {"replayedFromQuarantine", brought.Format()}};
  const auto prepare = [&](const lake::Snapshot& snapshot) -> Result<lake::ChangesOrRefusal> {
    if (snapshot.Txn(app_id) != fence) return lake::Refusal{"another replay was faster"};
    ARROW_ASSIGN_OR_RAISE(
        GrowthPlan plan,
        table == bronze_
            ? PlanGrowth(snapshot, added.layout, added.partition_values)
            : PlanSideGrowth(sides_->options(), snapshot, added.layout, added.partition_values));
    if (!plan.growth) return lake::Refusal{plan.conflict};
    ARROW_ASSIGN_OR_RAISE(tables::ReplayedOffsets replayed,
                          tables::ReadReplayed(snapshot, cut.topic_id));
    replayed.Merge(brought);
    lake::Changes changes = rows;
    changes.growth = std::move(plan.growth);
    changes.growth->properties[tables::ReplayedProperty(cut.topic_id)] = replayed.Format();
    return changes;
  };
  ARROW_ASSIGN_OR_RAISE(const lake::CommitResult result,
                        table->Commit(prepare, BootClock::now() + options_.commit_deadline));
  switch (result.outcome) {
    case lake::CommitOutcome::kCommitted:
      return Status::OK();
    case lake::CommitOutcome::kConflict:
      return Unavailable("the commit was refused: ", result.detail);
    case lake::CommitOutcome::kUnknown:
      break;
  }
  // If it did take effect, the table's next version shows that.
  return Unavailable("storage did not report whether a commit took effect: ", result.detail);
}

Result<ReplaySummary> ReplayQuarantine(lake::ObjectStore* store, registry::SchemaSource* registry,
                                       const std::string& topic,
                                       const LayoutOptions& layout_options,
                                       const ReplayFilter& filter,
                                       QuarantineReplay::Options options) {
  const lake::TableSpec spec = tables::QuarantineSpec(layout_options.quarantine_table);
  auto quarantine = lake::Table::Open(store, spec.path);
  if (quarantine.status().IsKeyError()) return ReplaySummary{};
  ARROW_RETURN_NOT_OK(quarantine.status());
  if (!options.dry_run) {
    ARROW_ASSIGN_OR_RAISE(quarantine, lake::Table::OpenOrCreate(store, spec));
  }
  ARROW_ASSIGN_OR_RAISE(const OpenBronze bronze,
                        OpenForReplay(store, registry, topic, layout_options, options.dry_run));
  SideTables sides(store, layout_options);
  SchemaCache schemas(bronze.layout, [&](int32_t id) { return registry->ById(id); });
  QuarantineReplay replay(bronze.layout, topic, bronze.table.get(), quarantine->get(), &sides,
                          &schemas, std::move(options));
  Probes::OfProcess().SetUnready("");
  return replay.Run(filter);
}

Result<ReplaySummary> RunQuarantineReplay(const Config& config, const ReplayFilter& filter,
                                          QuarantineReplay::Options options) {
  ARROW_ASSIGN_OR_RAISE(auto store, lake::OpenObjectStore(config));
  ARROW_ASSIGN_OR_RAISE(auto registry, registry::Client::Open(config.registry));
  options.open_partitions = config.ingest.max_open_partitions;
  return ReplayQuarantine(store.get(), registry.get(), config.kafka.topic,
                          LayoutOptions::From(config), filter, std::move(options));
}

}  // namespace shopstream::ingest
