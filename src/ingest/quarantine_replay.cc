#include "ingest/quarantine_replay.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <arrow/table.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "base/error_kind.h"
#include "base/json.h"
#include "base/log.h"
#include "base/runtime.h"
#include "ingest/cut_files.h"
#include "ingest/pipeline.h"
#include "lake/object_store.h"
#include "lake/parquet_file.h"
#include "model/calendar.h"
#include "model/lake_names.h"
#include "registry/client.h"

namespace shopstream::ingest {
namespace {

constexpr Millis kLookAtRegistryEvery{50};

// The columns that a record is decoded from, of one batch of the quarantine table.
struct QuarantineColumns {
  const arrow::StringArray *topic, *topic_id, *cause, *detail;
  const arrow::Int32Array* partition;
  const arrow::Int64Array* offset;
  const arrow::TimestampArray* timestamp;
  const arrow::BinaryArray* value;

  static const std::vector<std::string>& Names() {
    static const std::vector<std::string> kNames = {
        "kafka_topic",     "kafka_topic_id", "kafka_partition", "kafka_offset",
        "kafka_timestamp", "cause",          "detail",          "value"};
    return kNames;
  }

  // The types are the table's, which was checked when it was opened.
  explicit QuarantineColumns(const arrow::RecordBatch& rows)
      : topic(As<arrow::StringArray>(rows, "kafka_topic")),
        topic_id(As<arrow::StringArray>(rows, "kafka_topic_id")),
        cause(As<arrow::StringArray>(rows, "cause")),
        detail(As<arrow::StringArray>(rows, "detail")),
        partition(As<arrow::Int32Array>(rows, "kafka_partition")),
        offset(As<arrow::Int64Array>(rows, "kafka_offset")),
        timestamp(As<arrow::TimestampArray>(rows, "kafka_timestamp")),
        value(As<arrow::BinaryArray>(rows, "value")) {}

  template <typename Array>
  static const Array* As(const arrow::RecordBatch& rows, const char* name) {
    return static_cast<const Array*>(rows.GetColumnByName(name).get());
  }

  bool Passes(int64_t row, const std::string& wanted_topic, const ReplayFilter& filter) const {
    if (topic->IsNull(row) || topic->GetView(row) != wanted_topic) return false;
    if (topic_id->IsNull(row) || partition->IsNull(row) || offset->IsNull(row)) return false;
    if (!filter.cause.empty() && cause->GetView(row) != filter.cause) return false;
    if (timestamp->IsNull(row)) return !filter.since_ms && !filter.until_ms;
    const int64_t millis = timestamp->Value(row) / 1000;
    return millis >= filter.since_ms.value_or(millis) &&
           millis < filter.until_ms.value_or(millis + 1);
  }

  // Null: the record has none, or one that the column cannot hold, which refuses it again.
  int64_t Sent(int64_t row) const {
    if (timestamp->IsValid(row)) return timestamp->Value(row) / 1000;
    const std::optional<int64_t> outside =
        detail->IsNull(row) ? std::nullopt : FindSentOutside(detail->GetView(row));
    return outside.value_or(kNoTimestamp);
  }

  QuarantinedRecord Read(int64_t row) const {
    QuarantinedRecord record;
    record.partition = partition->Value(row);
    record.offset = offset->Value(row);
    record.timestamp_ms = Sent(row);
    if (value->IsValid(row)) record.value = std::string(value->GetView(row));
    return record;
  }
};

Status Stopped() {
  return Status::Cancelled(
      "the replay was stopped; committed records stay, and running it again does the rest");
}

// Those of the cut's rows, which were all chosen for not being there yet.
ReplayedOffsets OffsetsOf(const Cut& cut) {
  ReplayedOffsets offsets;
  for (size_t row = 0; row < cut.kafka_offset.size(); ++row) {
    offsets.Insert(cut.kafka_partition[row], cut.kafka_offset[row]);
  }
  return offsets;
}

}  // namespace

Result<ReplayedOffsets> ReadReplayed(const lake::Snapshot& bronze, const std::string& topic_id) {
  const std::string name = ReplayedProperty(topic_id);
  const auto property = bronze.properties().find(name);
  if (property == bronze.properties().end()) {
    if (!bronze.Txn(ReplayAppId(topic_id))) return ReplayedOffsets();
    return Status::Invalid("Bronze counts replays of topic id ", topic_id,
                           " but has lost its property ", name,
                           ", which lists their records: restore it from an older version's "
                           "metaData, otherwise records would be added twice");
  }
  Result<ReplayedOffsets> offsets = ReplayedOffsets::Parse(property->second);
  if (offsets.ok()) return offsets;
  return offsets.status().WithMessage("Bronze's property ", name,
                                      " is damaged: ", offsets.status().message());
}

QuarantineReplay::QuarantineReplay(std::shared_ptr<const BronzeLayout> layout, std::string topic,
                                   lake::Table* bronze, lake::Table* quarantine,
                                   SchemaCache* schemas, Options options)
    : layout_(std::move(layout)),
      topic_(std::move(topic)),
      bronze_(bronze),
      quarantine_(quarantine),
      schemas_(schemas),
      options_(std::move(options)),
      builder_(layout_) {}

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
  ARROW_ASSIGN_OR_RAISE(const auto table,
                        lake::ReadDataFile(quarantine_->store(), quarantine_->path(), file,
                                           snapshot.schema(), QuarantineColumns::Names()));
  arrow::TableBatchReader batches(*table);
  while (true) {
    std::shared_ptr<arrow::RecordBatch> rows;
    ARROW_RETURN_NOT_OK(batches.ReadNext(&rows));
    if (rows == nullptr) return Status::OK();
    const QuarantineColumns columns(*rows);
    for (int64_t row = 0; row < rows->num_rows(); ++row) {
      if (!columns.Passes(row, topic_, filter)) continue;
      const std::string topic_id(columns.topic_id->GetView(row));
      Batch& batch = batches_[topic_id];
      batch.records.push_back(columns.Read(row));
      batch.bytes += static_cast<int64_t>(batch.records.back().value.value_or("").size());
      if (std::ssize(batch.records) >= options_.batch_rows || batch.bytes >= options_.batch_bytes) {
        ARROW_RETURN_NOT_OK(Flush(topic_id, std::exchange(batch, {}).records));
      }
    }
  }
}

// Until none of the records is left, however often others come first.
Status QuarantineReplay::Flush(const std::string& topic_id, std::vector<QuarantinedRecord> left) {
  Backoff backoff(options_.patience);
  while (!left.empty()) {
    if (options_.stop()) return Stopped();
    Result<Outcome> outcome = TryCut(topic_id, &left);
    if (outcome.ok() && *outcome == Outcome::kDone) {
      options_.progress(summary_);
      backoff.Reset();
      continue;
    }
    // A file that is gone was merged and vacuumed by others: the next try reads what replaced it.
    const bool passing = outcome.ok() || IsUnavailable(outcome.status()) ||
                         KindOf(outcome.status()) == ErrorKind::kGone;
    if (!passing) return outcome.status();
    const Status why =
        outcome.ok() ? Unavailable("other writers were faster every time") : outcome.status();
    const std::optional<Millis> pause = backoff.Next(BootClock::now());
    if (!pause) return why.WithMessage("Gave up the replay: ", why.message());
    if (!outcome.ok()) {
      Log::Warn("The replay waits: {}. Retrying in {} ms.", why.message(), pause->count());
    }
    SleepUnless(options_.stop, *pause);
  }
  return Status::OK();
}

// One commit of as many records as a cut may have. What is decided is taken out of `left`.
Result<QuarantineReplay::Outcome> QuarantineReplay::TryCut(const std::string& topic_id,
                                                           std::vector<QuarantinedRecord>* left) {
  ARROW_ASSIGN_OR_RAISE(const auto bronze, bronze_->Refresh());
  ReplaySummary counted = summary_;
  ARROW_ASSIGN_OR_RAISE(const auto records, Choose(*bronze, topic_id, *left, &counted));
  size_t taken = 0;
  ARROW_ASSIGN_OR_RAISE(Cut cut, Decode(*bronze, records, &taken));
  cut.topic = topic_;
  cut.topic_id = topic_id;
  cut.ingested_at_ms = WallClockMillis();
  for (const QuarantinedRecord& record : cut.quarantined) {
    ++counted.unreadable[std::string(Name(record.cause))];
  }
  if (!cut.kafka_offset.empty()) {
    ARROW_ASSIGN_OR_RAISE(const Outcome outcome, Commit(*bronze, cut));
    if (outcome == Outcome::kTryAgain) return outcome;
    counted.replayed += std::ssize(cut.kafka_offset);
    ++counted.commits;
  }
  summary_ = std::move(counted);
  std::vector<QuarantinedRecord> rest;
  for (; taken < records.size(); ++taken) rest.push_back(std::move(*records[taken]));
  *left = std::move(rest);
  return Outcome::kDone;
}

// Those that are not in Bronze, and that ingest has passed.
Result<std::vector<QuarantinedRecord*>> QuarantineReplay::Choose(
    const lake::Snapshot& bronze, const std::string& topic_id, std::vector<QuarantinedRecord>& left,
    ReplaySummary* summary) {
  ARROW_ASSIGN_OR_RAISE(ReplayedOffsets taken, ReadReplayed(bronze, topic_id));
  std::vector<QuarantinedRecord*> chosen;
  for (QuarantinedRecord& record : left) {
    if (taken.Contains(record.partition, record.offset)) {
      ++summary->already_there;
    } else if (record.offset >= bronze.Txn(ProgressAppId(topic_id, record.partition)).value_or(0)) {
      ++summary->awaited;
    } else {
      taken.Insert(record.partition, record.offset);
      chosen.push_back(&record);
    }
  }
  return chosen;
}

// By what the table is at this snapshot, and what the registry says now. The first `taken` records
// are in the cut, each with its verdict: at least one, and no more than the open partitions allow.
Result<Cut> QuarantineReplay::Decode(const lake::Snapshot& bronze,
                                     const std::vector<QuarantinedRecord*>& records,
                                     size_t* taken) {
  ARROW_ASSIGN_OR_RAISE(const TableMemory memory, ReadTableMemory(bronze, layout_->options));
  ARROW_ASSIGN_OR_RAISE(auto layout, LayoutOf(memory, layout_));
  schemas_->Reset(std::move(layout));
  builder_.Clear();
  builder_.Admit(memory.partition_values);
  for (*taken = 0; *taken < records.size(); ++*taken) {
    if (builder_.open_partitions() >= options_.open_partitions) {
      ARROW_RETURN_NOT_OK(DecideParked());
      if (builder_.open_partitions() >= options_.open_partitions) break;
    }
    const kafka::RecordView view = View(*records[*taken]);
    ARROW_ASSIGN_OR_RAISE(std::optional<int32_t> id,
                          builder_.Add(view, *schemas_, BootClock::now()));
    if (id) {
      const ResolveOutcome outcome = schemas_->Resolve({*id}, BootClock::now());
      if (outcome.outage) return Unavailable("the schema registry: ", *outcome.outage);
      if (outcome.resolved) {
        ARROW_ASSIGN_OR_RAISE(id, builder_.Add(view, *schemas_, BootClock::now()));
      }
    }
    if (id) builder_.Park(view, *id);
  }
  ARROW_RETURN_NOT_OK(DecideParked());
  return builder_.Finish();
}

// Asks for the schemas that were not known at once: a denial must be confirmed.
Status QuarantineReplay::DecideParked() {
  while (builder_.has_parked()) {
    if (options_.stop()) return Stopped();
    const ResolveOutcome outcome = schemas_->Resolve(builder_.ParkedIds(), BootClock::now());
    if (outcome.outage) return Unavailable("the schema registry: ", *outcome.outage);
    ARROW_RETURN_NOT_OK(builder_.DecideParked(*schemas_, BootClock::now()));
    if (builder_.has_parked()) SleepUnless(options_.stop, kLookAtRegistryEvery);
  }
  return Status::OK();
}

Result<QuarantineReplay::Outcome> QuarantineReplay::Commit(const lake::Snapshot& base,
                                                           const Cut& cut) {
  const BootClock::time_point begun = BootClock::now();
  const std::string app_id = ReplayAppId(cut.topic_id);
  const std::optional<int64_t> fence = base.Txn(app_id);
  const ReplayedOffsets brought = OffsetsOf(cut);
  Result<GrowthPlan> plan = GrowthPlan{};
  const auto legal = [&](const lake::Snapshot& snapshot) {
    if (snapshot.Txn(app_id) != fence) return false;
    plan = PlanGrowth(snapshot, cut.layout, cut.partition_values);
    return !plan.ok() || plan->growth.has_value();
  };
  lake::Transaction transaction;
  transaction.written_since = begun;
  ARROW_ASSIGN_OR_RAISE(transaction.adds, WriteBronzeFiles(bronze_->store(), cut));
  transaction.txns = {{app_id, fence.value_or(0) + 1}};
  transaction.info = nlohmann::json{{"kafkaTopic", cut.topic},
                                    {"kafkaTopicId", cut.topic_id},
                                    {"replayedFromQuarantine", brought.Format()}};
  transaction.grow = [&](const lake::Snapshot& snapshot) -> Result<lake::TableGrowth> {
    ARROW_RETURN_NOT_OK(plan.status());
    ARROW_ASSIGN_OR_RAISE(ReplayedOffsets replayed, ReadReplayed(snapshot, cut.topic_id));
    replayed.Merge(brought);
    lake::TableGrowth growth = *plan->growth;
    growth.properties[ReplayedProperty(cut.topic_id)] = replayed.Format();
    return growth;
  };
  ARROW_ASSIGN_OR_RAISE(
      const lake::CommitResult result,
      bronze_->Commit(transaction, legal, BootClock::now() + options_.commit_deadline));
  switch (result.outcome) {
    case lake::CommitOutcome::kCommitted:
      return Outcome::kDone;
    case lake::CommitOutcome::kConflict:
      return Outcome::kTryAgain;
    case lake::CommitOutcome::kUnknown:
      break;
  }
  // Should it stand after all, the table's next version says so.
  return Unavailable("storage did not report whether a commit took effect: ", result.detail);
}

Result<ReplaySummary> ReplayQuarantine(lake::ObjectStore* store, registry::SchemaSource* registry,
                                       const std::string& topic,
                                       const LayoutOptions& layout_options,
                                       const ReplayFilter& filter,
                                       QuarantineReplay::Options options) {
  auto quarantine = lake::Table::Open(store, layout_options.quarantine_table);
  if (quarantine.status().IsKeyError()) return ReplaySummary{};
  ARROW_RETURN_NOT_OK(quarantine.status());
  ARROW_ASSIGN_OR_RAISE(quarantine, lake::Table::OpenOrCreate(
                                        store, QuarantineSpec(layout_options.quarantine_table)));
  ARROW_ASSIGN_OR_RAISE(auto layout, FindLayout(store, registry, topic, layout_options));
  ARROW_ASSIGN_OR_RAISE(auto bronze, lake::Table::OpenOrCreate(store, layout->table));
  SchemaCache schemas(layout, [&](int32_t id) { return registry->ById(id); });
  QuarantineReplay replay(layout, topic, bronze.get(), quarantine->get(), &schemas,
                          std::move(options));
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
