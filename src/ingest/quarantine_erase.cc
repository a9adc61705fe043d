#include "ingest/quarantine_erase.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/error_kind.h"
#include "base/json.h"
#include "ingest/cut_files.h"
#include "ingest/pipeline.h"
#include "ingest/quarantine_decoder.h"
#include "ingest/schema_cache.h"
#include "ingest/side_tables.h"
#include "lake/delta/table.h"
#include "lake/upkeep/row_removal.h"
#include "registry/client.h"
#include "tables/columns.h"
#include "tables/erased_offsets.h"
#include "tables/quarantined_row.h"

namespace shopstream::ingest {
namespace {

using tables::QuarantineChoice;
using tables::QuarantinedRows;
using tables::QuarantineErased;

// Decides which rows of quarantine go.
class QuarantineChooser {
 public:
  QuarantineChooser(std::string topic, const lake::Snapshot& bronze, QuarantineDecoder* decoder,
                    const QuarantineChoice& choice)
      : topic_(std::move(topic)), bronze_(bronze), decoder_(decoder), choice_(choice) {}

  Result<std::vector<bool>> Choose(const QuarantinedRows& rows);
  const tables::OffsetsByTopic& chosen() const { return chosen_; }
  int64_t not_examined() const { return not_examined_; }

 private:
  // Records of one topic id, and the rows that they are of.
  struct Waiting {
    std::vector<QuarantinedRecord> records;
    // By partition and offset, which another program may have repeated.
    std::map<std::pair<int32_t, int64_t>, std::vector<size_t>> rows;
  };
  Status Decode(const std::string& topic_id, Waiting waiting, std::vector<bool>* goes);
  Status TakeDecoded(const Cut& cut, const TableRows& rows, const Waiting& waiting,
                     std::vector<bool>* goes);

  const std::string topic_;
  const lake::Snapshot& bronze_;
  QuarantineDecoder* const decoder_;
  const QuarantineChoice& choice_;
  tables::OffsetsByTopic chosen_;
  int64_t not_examined_ = 0;
};

Result<std::vector<bool>> QuarantineChooser::Choose(const QuarantinedRows& rows) {
  std::vector<std::optional<std::string>> keys;
  // Those of another topic may be anything.
  for (int64_t row = 0; row < rows.size(); ++row) {
    keys.push_back(rows.TopicAt(row) == topic_ ? rows.Read(row).key : std::nullopt);
  }
  ARROW_ASSIGN_OR_RAISE(std::vector<bool> goes, choice_.by_key(keys));
  std::map<std::string, Waiting> by_topic_id;
  for (int64_t row = 0; row < rows.size(); ++row) {
    const auto number = static_cast<size_t>(row);
    const auto at = rows.coordinates().At(row);
    const std::string topic_id(at ? at->topic_id : "");
    if (at && tables::Contains(choice_.gone, topic_id, at->partition, at->offset)) {
      goes[number] = true;
    }
    if (goes[number]) continue;
    if (!at || rows.TopicAt(row) != topic_) {
      ++not_examined_;
      continue;
    }
    Waiting& waiting = by_topic_id[topic_id];
    waiting.records.push_back(RecordOf(rows.Read(row)));
    waiting.rows[{at->partition, at->offset}].push_back(number);
  }
  for (auto& [topic_id, waiting] : by_topic_id) {
    ARROW_RETURN_NOT_OK(Decode(topic_id, std::move(waiting), &goes));
  }
  for (int64_t row = 0; row < rows.size(); ++row) {
    const auto at = rows.coordinates().At(row);
    if (!goes[static_cast<size_t>(row)] || !at) continue;
    chosen_[std::string(at->topic_id)].Insert(at->partition, at->offset);
  }
  return goes;
}

Status QuarantineChooser::Decode(const std::string& topic_id, Waiting waiting,
                                 std::vector<bool>* goes) {
  std::vector<QuarantinedRecord*> left;
  for (QuarantinedRecord& record : waiting.records) left.push_back(&record);
  while (!left.empty()) {
    size_t taken = 0;
    ARROW_ASSIGN_OR_RAISE(Cut cut, decoder_->Decode(bronze_, left, &taken));
    cut.topic = topic_;
    cut.topic_id = topic_id;
    not_examined_ += std::ssize(cut.quarantined);
    ARROW_RETURN_NOT_OK(TakeDecoded(cut, cut.bronze, waiting, goes));
    for (const TableRows& side : cut.sides) {
      ARROW_RETURN_NOT_OK(TakeDecoded(cut, side, waiting, goes));
    }
    left.erase(left.begin(), left.begin() + static_cast<int64_t>(taken));
  }
  return Status::OK();
}

Status QuarantineChooser::TakeDecoded(const Cut& cut, const TableRows& rows, const Waiting& waiting,
                                      std::vector<bool>* goes) {
  if (rows.kafka_offset.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto whole, WholeRows(cut, rows));
  ARROW_ASSIGN_OR_RAISE(const std::vector<bool> matches,
                        choice_.by_row(rows.layout->table.path, *whole));
  for (size_t i = 0; i < matches.size(); ++i) {
    if (!matches[i]) continue;
    for (const size_t row : waiting.rows.at({rows.kafka_partition[i], rows.kafka_offset[i]})) {
      (*goes)[row] = true;
    }
  }
  return Status::OK();
}

Status CommitErased(lake::Table* quarantine, const lake::Removal& removal, int64_t task,
                    const tables::OffsetsByTopic& chosen, Millis deadline) {
  const auto prepare = [&](const lake::Snapshot& now) -> Result<lake::ChangesOrRefusal> {
    lake::Changes changes = removal.ToChanges();
    changes.operation = "ERASE";
    changes.info = nlohmann::json{{"task", task}, {"erasedRows", removal.rows}};
    ARROW_ASSIGN_OR_RAISE(changes.growth->properties,
                          tables::RemovedProperties(now, tables::Removal::kErased, chosen));
    return changes;
  };
  const auto committed = quarantine->Commit(prepare, BootClock::now() + deadline);
  if (committed.ok() && committed->outcome == lake::CommitOutcome::kCommitted) return Status::OK();
  const bool may_be_there = committed.ok() && committed->outcome == lake::CommitOutcome::kUnknown;
  if (!may_be_there) lake::Discard(quarantine, removal);
  ARROW_RETURN_NOT_OK(committed.status());
  return Unavailable(
      "the erase from ", quarantine->path(),
      may_be_there ? " may not have been committed: " : " was not committed: ", committed->detail);
}

Result<QuarantineErased> EraseChosen(lake::Table* quarantine, QuarantineChooser* chooser,
                                     const QuarantineChoice& choice,
                                     const QuarantineEraseOptions& options) {
  lake::RowChoice rows;
  for (const auto& field : quarantine->snapshot()->schema()->fields()) {
    rows.columns.push_back(field->name());
  }
  rows.choose = [chooser](const DataFile& file,
                          const arrow::RecordBatch& batch) -> Result<std::vector<bool>> {
    const auto read = QuarantinedRows::Of(batch);
    if (!read.ok()) return read.status().WithMessage(file.path, ": ", read.status().message());
    return chooser->Choose(*read);
  };
  ARROW_ASSIGN_OR_RAISE(
      const lake::Removal removal,
      lake::PlanRemoval(quarantine, *quarantine->snapshot(), rows, choice.search));
  if (!removal.empty()) {
    ARROW_RETURN_NOT_OK(
        CommitErased(quarantine, removal, choice.task, chooser->chosen(), options.commit_deadline));
  }
  QuarantineErased erased;
  erased.rows = removal.rows;
  erased.not_examined = chooser->not_examined();
  ARROW_ASSIGN_OR_RAISE(const auto ever,
                        tables::ReadRemoved(*quarantine->snapshot(), tables::Removal::kErased));
  for (const auto& [topic_id, offsets] : ever) erased.topic_ids.insert(topic_id);
  return erased;
}

}  // namespace

Result<QuarantineErased> EraseFromQuarantine(lake::ObjectStore* store,
                                             registry::SchemaSource* registry,
                                             const std::string& topic,
                                             const LayoutOptions& layout_options,
                                             const QuarantineChoice& choice,
                                             const QuarantineEraseOptions& options) {
  const auto quarantine = lake::Table::Open(store, layout_options.quarantine_table);
  if (quarantine.status().IsKeyError()) return QuarantineErased{};
  ARROW_RETURN_NOT_OK(quarantine.status());
  ARROW_ASSIGN_OR_RAISE(const auto layout, FindLayout(store, registry, topic, layout_options));
  ARROW_ASSIGN_OR_RAISE(const auto bronze, lake::Table::Open(store, layout->table.path));
  SideTables sides(store, layout_options);
  ARROW_RETURN_NOT_OK(sides.OpenAnnounced(*bronze->snapshot()));
  SchemaCache schemas(layout, [&](int32_t id) { return registry->ById(id); });
  QuarantineDecoder::Options decoding{.open_partitions = options.open_partitions};
  if (choice.search.stop) decoding.stop = choice.search.stop;
  QuarantineDecoder decoder(layout, &sides, &schemas, decoding);
  QuarantineChooser chooser(topic, *bronze->snapshot(), &decoder, choice);
  return EraseChosen(quarantine->get(), &chooser, choice, options);
}

tables::EraseQuarantine ConfiguredQuarantineErase(const Config& config) {
  return [config](const QuarantineChoice& choice) -> Result<QuarantineErased> {
    ARROW_ASSIGN_OR_RAISE(const auto store, lake::OpenObjectStore(config));
    ARROW_ASSIGN_OR_RAISE(const auto registry, registry::Client::Open(config.registry));
    QuarantineEraseOptions options;
    options.open_partitions = config.ingest.max_open_partitions;
    return EraseFromQuarantine(store.get(), registry.get(), config.kafka.topic,
                               LayoutOptions::From(config), choice, options);
  };
}

}  // namespace shopstream::ingest
