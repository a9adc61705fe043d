#include "lineage/lineage.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <arrow/array/util.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/join.h"
#include "lake/delta/existing_table.h"
#include "lineage/arrival.h"
#include "refine/columns.h"
#include "refine/dates.h"
#include "refine/gold_files.h"
#include "tables/columns.h"
#include "tables/coordinates.h"
#include "tables/erased_offsets.h"
#include "tables/record_types.h"
#include "tables/refine_state.h"

namespace shopstream::lineage {
namespace {

using SnapshotOf = std::shared_ptr<const lake::Snapshot>;

constexpr char kDuplicateReason[] = "duplicate";

struct OpenedTable {
  std::string path;
  SnapshotOf snapshot;  // Null: there is no such table.
};

// The tables at their newest versions. Later ones are read first: a row that moves on between two
// reads is then seen where it was, and not missed.
struct Lake {
  OpenedTable bronze, quarantine, silver, rejects;
  std::vector<OpenedTable> sides;
};

Result<OpenedTable> OpenNewest(lake::ObjectStore* store, const std::string& path) {
  auto table = lake::Table::Open(store, path);
  if (table.status().IsKeyError()) return OpenedTable{path, nullptr};
  ARROW_RETURN_NOT_OK(table.status());
  return OpenedTable{path, (*table)->snapshot()};
}

Result<Lake> OpenLake(lake::ObjectStore* store, const Config& config) {
  Lake lake;
  ARROW_ASSIGN_OR_RAISE(lake.bronze, OpenNewest(store, config.lake.bronze_table));
  // The error names the tables that exist.
  if (lake.bronze.snapshot == nullptr) {
    ARROW_RETURN_NOT_OK(lake::OpenExisting(store, config.lake.bronze_table).status());
  }
  ARROW_ASSIGN_OR_RAISE(const auto types, tables::ReadRecordTypes(*lake.bronze.snapshot));
  for (const auto& [type, path] : types) {
    ARROW_ASSIGN_OR_RAISE(lake.sides.emplace_back(), OpenNewest(store, path));
  }
  ARROW_ASSIGN_OR_RAISE(lake.quarantine, OpenNewest(store, config.lake.quarantine_table));
  ARROW_ASSIGN_OR_RAISE(lake.rejects, OpenNewest(store, config.refine.rejects_table));
  ARROW_ASSIGN_OR_RAISE(lake.silver, OpenNewest(store, config.refine.silver_table));
  return lake;
}

std::optional<std::string> TextOf(const StoredRow& row, const std::string& column) {
  const auto texts =
      std::dynamic_pointer_cast<arrow::StringArray>(row.row->GetColumnByName(column));
  if (texts == nullptr || texts->IsNull(0)) return std::nullopt;
  return texts->GetString(0);
}

std::optional<int64_t> LongOf(const StoredRow& row, const std::string& column) {
  const auto values =
      std::dynamic_pointer_cast<arrow::Int64Array>(row.row->GetColumnByName(column));
  if (values == nullptr || values->IsNull(0)) return std::nullopt;
  return values->Value(0);
}

std::optional<RecordKey> KeyOf(const StoredRow& row) {
  const auto columns = tables::CoordinateColumns::Of(*row.row);
  const auto at = columns.ok() ? columns->At(0) : std::nullopt;
  if (!at) return std::nullopt;
  return RecordKey{std::string(at->topic_id), at->partition, at->offset};
}

// Follows one record through the tables.
class Tracer {
 public:
  Tracer(lake::ObjectStore* store, const Config& config, const LineageOptions& options,
         const Lake& lake)
      : store_(store), config_(config), options_(options), lake_(lake) {}

  Result<RecordLineage> Trace(const RecordKey& key) {
    RecordLineage record{.topic = config_.kafka.topic, .key = key};
    record.kafka = options_.kafka(key.partition);
    ARROW_RETURN_NOT_OK(FindInBronze(&record));
    ARROW_RETURN_NOT_OK(FindInQuarantine(&record));
    ARROW_RETURN_NOT_OK(Judge(&record));
    ARROW_RETURN_NOT_OK(FindVerdict(&record));
    if (record.refined) ARROW_RETURN_NOT_OK(FindCells(&record));
    return record;
  }

  Result<std::optional<StoredRow>> FindOne(const OpenedTable& table, const RecordKey& key) {
    if (table.snapshot == nullptr) return std::nullopt;
    ARROW_ASSIGN_OR_RAISE(auto rows,
                          FindRecord(store_, table.path, *table.snapshot, key, options_.stop));
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
  }

 private:
  Status FindInBronze(RecordLineage* record) {
    std::vector<const OpenedTable*> tables = {&lake_.bronze};
    for (const OpenedTable& side : lake_.sides) tables.push_back(&side);
    for (const OpenedTable* table : tables) {
      ARROW_ASSIGN_OR_RAISE(record->bronze, FindOne(*table, record->key));
      if (!record->bronze) continue;
      NoteTopic(*record->bronze, record);
      ARROW_ASSIGN_OR_RAISE(record->added, FindCommitOfRecord(store_, *table->snapshot, record->key,
                                                              *record->bronze, options_.stop));
      if (!record->added.moved.value_or(false)) return Status::OK();
      ARROW_ASSIGN_OR_RAISE(
          record->moved,
          FindCommitOfFile(store_, table->path, record->bronze->place.path, options_.stop));
      return Status::OK();
    }
    return Status::OK();
  }

  Status FindInQuarantine(RecordLineage* record) {
    ARROW_ASSIGN_OR_RAISE(auto row, FindOne(lake_.quarantine, record->key));
    if (!row) return Status::OK();
    NoteTopic(*row, record);
    ARROW_ASSIGN_OR_RAISE(auto added, FindCommitOfFile(store_, lake_.quarantine.path,
                                                       row->place.path, options_.stop));
    record->quarantine = QuarantineEntry{
        .row = *std::move(row), .added = std::move(added), .replayed = record->bronze.has_value()};
    return Status::OK();
  }

  static void NoteTopic(const StoredRow& row, RecordLineage* record) {
    if (const auto topic = TextOf(row, tables::kTopic)) record->topic = *topic;
  }

  Status Judge(RecordLineage* record) const {
    const RecordKey& key = record->key;
    ArrivalFacts facts{.in_bronze = record->bronze.has_value(),
                       .in_quarantine = record->quarantine.has_value(),
                       .kafka = record->kafka};
    if (facts.kafka.topic_id != key.topic_id && !facts.kafka.topic_id.empty()) {
      // Of a topic that was deleted: Kafka has nothing of it.
      facts.kafka = {.topic_id = facts.kafka.topic_id};
      facts.topic_deleted = true;
    }
    facts.state =
        tables::ReadPartitionState(lake_.bronze.snapshot->Txns(), key.topic_id, key.partition);
    for (const OpenedTable* table : {&lake_.bronze, &lake_.quarantine}) {
      if (table->snapshot == nullptr) continue;
      for (const auto removal : {tables::Removal::kErased, tables::Removal::kExpired}) {
        ARROW_ASSIGN_OR_RAISE(const auto removed, tables::ReadRemoved(*table->snapshot, removal));
        if (!tables::Contains(removed, key.topic_id, key.partition, key.offset)) continue;
        (removal == tables::Removal::kErased ? facts.erased : facts.expired) = true;
      }
    }
    const ArrivalVerdict verdict = JudgeArrival(key, facts);
    record->arrival = verdict.arrival;
    record->reason = verdict.reason;
    record->remedy = verdict.remedy;
    record->in_kafka = verdict.in_kafka;
    return Status::OK();
  }

  Status FindVerdict(RecordLineage* record) {
    ARROW_ASSIGN_OR_RAISE(record->refined, FindOne(lake_.silver, record->key));
    if (record->refined) {
      record->verdict = Verdict::kSilver;
    } else {
      ARROW_ASSIGN_OR_RAISE(record->refined, FindOne(lake_.rejects, record->key));
      if (record->refined) ARROW_RETURN_NOT_OK(ReadReasons(record));
    }
    if (record->refined) {
      record->pass = LongOf(*record->refined, refine::kRefinePass);
      return Status::OK();
    }
    return record->bronze ? ExplainAbsence(record) : Status::OK();
  }

  Status ReadReasons(RecordLineage* record) {
    record->reasons = SplitList(TextOf(*record->refined, refine::kReasons).value_or(""));
    const bool duplicate = std::ranges::count(record->reasons, kDuplicateReason) > 0;
    record->verdict = duplicate ? Verdict::kDuplicate : Verdict::kRejected;
    return duplicate ? FindOriginal(record) : Status::OK();
  }

  // The row in Silver with the same event id and date.
  Status FindOriginal(RecordLineage* record) {
    const auto id = TextOf(*record->refined, refine::kEventId);
    if (!id || lake_.silver.snapshot == nullptr) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto dates, refine::RowsByDate(*record->refined->row));
    RowSearch search;
    search.where = lake::FilePredicate::AllOf(
        {refine::OfDates({dates.begin()->first}), HasText(refine::kEventId, *id)});
    search.columns = {refine::kEventId};
    search.matches = [&](const arrow::RecordBatch& rows) {
      return RowsWithText(rows, refine::kEventId, *id);
    };
    search.limit = 1;
    search.stop = options_.stop;
    ARROW_ASSIGN_OR_RAISE(record->original,
                          FindRows(store_, lake_.silver.path, *lake_.silver.snapshot, search));
    return Status::OK();
  }

  Status ExplainAbsence(RecordLineage* record) const {
    record->verdict = Verdict::kNoRefine;
    if (record->bronze->place.table != lake_.bronze.path) {
      record->verdict_reason = "refine reads " + lake_.bronze.path + " only";
      return Status::OK();
    }
    if (lake_.silver.snapshot == nullptr || lake_.rejects.snapshot == nullptr) {
      record->verdict_reason = "there is no Silver yet: `shopstream refine` fills it";
      return Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(const auto standing, tables::ReadRefineStanding(*lake_.silver.snapshot));
    const auto end = standing.ends.find({record->key.topic_id, record->key.partition});
    const int64_t refined = end == standing.ends.end() ? 0 : end->second;
    const auto replayed = standing.replayed.find(record->key.topic_id);
    const bool replay_refined =
        replayed != standing.replayed.end() &&
        replayed->second.Contains(record->key.partition, record->key.offset);
    if (record->key.offset >= refined || (record->added.was_replayed && !replay_refined)) {
      record->verdict = Verdict::kAwaited;
      record->verdict_reason =
          record->added.was_replayed
              ? "it was replayed, and the next pass of refine takes it"
              : "refine is at offset " + FormatCount(refined) + " of this partition";
      record->verdict_reason += "; `shopstream refine status` shows whether it runs or is halted";
      return Status::OK();
    }
    record->verdict = Verdict::kMissing;
    record->verdict_reason =
        "pass " + FormatCount(standing.pass.value_or(0)) +
        " is behind it, but neither Silver nor the rejects have it: `shopstream refine verify`";
    return Status::OK();
  }

  Status FindCells(RecordLineage* record) {
    const auto files = refine::LoadGoldFiles(config_.refine.sql_folder);
    if (!files.ok()) {
      record->gold_unknown = files.status().message();
      return Status::OK();
    }
    if (lake_.silver.snapshot == nullptr || lake_.rejects.snapshot == nullptr) return Status::OK();
    RefinedRow row{.pass = record->pass.value_or(0)};
    ARROW_ASSIGN_OR_RAISE(row.silver,
                          arrow::RecordBatch::MakeEmpty(lake_.silver.snapshot->schema()));
    ARROW_ASSIGN_OR_RAISE(row.rejects,
                          arrow::RecordBatch::MakeEmpty(lake_.rejects.snapshot->schema()));
    (record->verdict == Verdict::kSilver ? row.silver : row.rejects) = record->refined->row;
    auto cells = FindGoldCells(store_, config_.refine.gold_folder, *files, row, options_.stop);
    if (cells.status().IsCancelled() || options_.stop()) {
      return Status::Cancelled("the trace was stopped");
    }
    if (!cells.ok() && KindOf(cells.status()) == ErrorKind::kUnavailable) return cells.status();
    if (!cells.ok()) record->gold_unknown = cells.status().message();
    if (cells.ok()) record->gold = *std::move(cells);
    return Status::OK();
  }

  lake::ObjectStore* const store_;
  const Config& config_;
  const LineageOptions& options_;
  const Lake& lake_;
};

// The topic ids of which some table has a record at this place.
Result<std::set<std::string>> TopicsWith(Tracer* tracer, const Lake& lake, int32_t partition,
                                         int64_t offset) {
  std::set<std::string> topics;
  const auto add = [&](const OpenedTable& table, const std::string& topic_id) -> Status {
    if (topics.contains(topic_id)) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto row, tracer->FindOne(table, {topic_id, partition, offset}));
    if (row) topics.insert(topic_id);
    return Status::OK();
  };
  std::set<std::string> known;
  for (const auto& [key, next] : tables::ReadProgress(lake.bronze.snapshot->Txns())) {
    known.insert(key.topic_id);
  }
  for (const std::string& topic_id : known) {
    ARROW_RETURN_NOT_OK(add(lake.bronze, topic_id));
    for (const OpenedTable& side : lake.sides) ARROW_RETURN_NOT_OK(add(side, topic_id));
    for (const OpenedTable* table : {&lake.quarantine, &lake.silver, &lake.rejects}) {
      ARROW_RETURN_NOT_OK(add(*table, topic_id));
    }
  }
  return topics;
}

// The topic to explain an offset of which the lake has no row.
std::string CurrentTopic(const Lake& lake, const KafkaSpan& kafka, int32_t partition) {
  if (!kafka.topic_id.empty()) return kafka.topic_id;
  std::string newest;
  int64_t through = -1;
  for (const auto& [key, next] : tables::ReadProgress(lake.bronze.snapshot->Txns())) {
    if (key.partition != partition) continue;
    const auto state =
        tables::ReadPartitionState(lake.bronze.snapshot->Txns(), key.topic_id, partition);
    if (newest.empty() || state.complete_through_ms.value_or(0) > through) newest = key.topic_id;
    through = std::max(through, state.complete_through_ms.value_or(0));
  }
  return newest;
}

Result<std::vector<StoredRow>> FindEvent(lake::ObjectStore* store, const OpenedTable& table,
                                         const std::string& id, const std::function<bool()>& stop) {
  if (table.snapshot == nullptr) return std::vector<StoredRow>();
  RowSearch search;
  search.where = HasText(refine::kEventId, id);
  search.columns = {refine::kEventId};
  search.matches = [&](const arrow::RecordBatch& rows) {
    return RowsWithText(rows, refine::kEventId, id);
  };
  search.stop = stop;
  return FindRows(store, table.path, *table.snapshot, search);
}

}  // namespace

Result<std::vector<RecordLineage>> TraceRecord(lake::ObjectStore* store, const Config& config,
                                               int32_t partition, int64_t offset,
                                               const LineageOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const Lake lake, OpenLake(store, config));
  Tracer tracer(store, config, options, lake);
  ARROW_ASSIGN_OR_RAISE(auto topics, TopicsWith(&tracer, lake, partition, offset));
  if (topics.empty()) topics.insert(CurrentTopic(lake, options.kafka(partition), partition));
  std::vector<RecordLineage> records;
  for (const std::string& topic_id : topics) {
    ARROW_ASSIGN_OR_RAISE(records.emplace_back(), tracer.Trace({topic_id, partition, offset}));
  }
  return records;
}

Result<std::vector<RecordLineage>> TraceEvent(lake::ObjectStore* store, const Config& config,
                                              const std::string& id,
                                              const LineageOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const Lake lake, OpenLake(store, config));
  Tracer tracer(store, config, options, lake);
  std::vector<RecordLineage> records;
  // Silver and rejects may keep dates that Bronze no longer has.
  for (const OpenedTable* table : {&lake.bronze, &lake.silver, &lake.rejects}) {
    ARROW_ASSIGN_OR_RAISE(const auto rows, FindEvent(store, *table, id, options.stop));
    for (const StoredRow& row : rows) {
      const auto key = KeyOf(row);
      if (!key) continue;
      ARROW_ASSIGN_OR_RAISE(records.emplace_back(), tracer.Trace(*key));
    }
    if (!records.empty()) break;
  }
  return records;
}

}  // namespace shopstream::lineage
