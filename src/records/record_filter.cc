#include "records/record_filter.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>

#include <utility>

#include "base/format.h"
#include "base/unicode_names.h"
#include "model/calendar.h"
#include "registry/subject.h"
#include "sql/sql_words.h"

namespace shopstream::records {
namespace {

using Schema = std::shared_ptr<arrow::Schema>;

bool HasColumn(const arrow::FieldVector& fields, const std::string& name) {
  for (const auto& field : fields) {
    if (FoldCase(field->name()) == FoldCase(name)) return true;
  }
  return false;
}

void AddMissing(const arrow::FieldVector& more, arrow::FieldVector* fields) {
  for (const auto& field : more) {
    if (!HasColumn(*fields, field->name())) fields->push_back(field->WithNullable(true));
  }
}

// The fields that every record has, under both names.
arrow::FieldVector RecordFields(bool with_key) {
  const auto time = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  arrow::FieldVector fields = {arrow::field("partition", arrow::int32()),
                               arrow::field("offset", arrow::int64()),
                               arrow::field("timestamp", time),
                               arrow::field("schema_id", arrow::int32()),
                               arrow::field("kafka_partition", arrow::int32()),
                               arrow::field("kafka_offset", arrow::int64()),
                               arrow::field("kafka_timestamp", time)};
  if (!with_key) return fields;
  fields.push_back(arrow::field("key", arrow::utf8()));
  fields.push_back(arrow::field("kafka_key", arrow::utf8()));
  return fields;
}

Result<Schema> FieldsOf(const registry::RegisteredSchema& registered) {
  ARROW_ASSIGN_OR_RAISE(const avro::Schema schema, avro::Schema::ParseKept(registered.schema));
  return avro::ToArrowSchema(schema);
}

// Whether records with these fields can be filtered. On a row without values, so that constants
// are converted as well.
Status CheckFits(const std::string& condition, arrow::FieldVector fields, bool with_key) {
  AddMissing(RecordFields(with_key), &fields);
  const Schema schema = arrow::schema(std::move(fields));
  ARROW_ASSIGN_OR_RAISE(const auto predicate, refine::RowPredicate::Open(condition, schema));
  arrow::ArrayVector values;
  for (const auto& field : schema->fields()) {
    ARROW_ASSIGN_OR_RAISE(values.emplace_back(), arrow::MakeArrayOfNull(field->type(), 1));
  }
  return predicate->Matches(*arrow::RecordBatch::Make(schema, 1, std::move(values))).status();
}

// The values of RecordFields().
Result<std::map<std::string, std::shared_ptr<arrow::Array>>> RecordValues(
    const std::vector<const kafka::RecordView*>& records, int32_t schema_id) {
  const auto type = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  arrow::Int32Builder partitions, schemas;
  arrow::Int64Builder offsets;
  arrow::TimestampBuilder times(type, arrow::default_memory_pool());
  arrow::StringBuilder keys;
  for (const kafka::RecordView* record : records) {
    ARROW_RETURN_NOT_OK(partitions.Append(record->partition));
    ARROW_RETURN_NOT_OK(offsets.Append(record->offset));
    ARROW_RETURN_NOT_OK(IsKnownMillis(record->timestamp_ms)
                            ? times.Append(record->timestamp_ms * 1000)
                            : times.AppendNull());
    ARROW_RETURN_NOT_OK(record->key ? keys.Append(Printable(AsText(*record->key)))
                                    : keys.AppendNull());
    ARROW_RETURN_NOT_OK(schema_id == kUndecoded ? schemas.AppendNull() : schemas.Append(schema_id));
  }
  std::map<std::string, std::shared_ptr<arrow::Array>> values;
  ARROW_ASSIGN_OR_RAISE(values["partition"], partitions.Finish());
  ARROW_ASSIGN_OR_RAISE(values["offset"], offsets.Finish());
  ARROW_ASSIGN_OR_RAISE(values["timestamp"], times.Finish());
  ARROW_ASSIGN_OR_RAISE(values["key"], keys.Finish());
  ARROW_ASSIGN_OR_RAISE(values["schema_id"], schemas.Finish());
  for (const char* name : {"partition", "offset", "timestamp", "key"}) {
    values[std::string("kafka_") + name] = values[name];
  }
  return values;
}

}  // namespace

Result<std::unique_ptr<RecordFilter>> RecordFilter::Open(
    const std::string& condition, const Config& config, const std::string& topic,
    registry::Client* registry, RecordDecoder* decoder, const IsHidden& is_hidden) {
  // The only name of them that SQL reserves.
  std::unique_ptr<RecordFilter> filter(
      new RecordFilter(sql::WithQuoted(condition, "OFFSET"), decoder, is_hidden));
  ARROW_RETURN_NOT_OK(refine::RowPredicate::CheckText(filter->condition_));
  auto naming = registry::SubjectNaming::From(config.registry);
  // The subject of the settings is kafka.topic's.
  if (topic != config.kafka.topic) naming.subject.clear();
  if (!naming.needs_record()) {
    ARROW_RETURN_NOT_OK(filter->CheckSubject(registry, registry::SubjectFor(naming, topic, "")));
  }
  return filter;
}

// The newest version first; only a condition that does not fit it needs the others.
Status RecordFilter::CheckSubject(registry::Client* registry, const std::string& subject) {
  const auto latest = registry->Latest(subject);
  if (latest.status().IsKeyError()) return Status::OK();
  ARROW_RETURN_NOT_OK(latest.status());
  const auto fields = FieldsOf(*latest);
  if (!fields.ok()) return Status::OK();  // Not Avro, or recursive: no record is decoded.
  subject_fields_ = arrow::schema(Seen((*fields)->fields(), is_hidden_));
  const Status refused = CheckFits(condition_, subject_fields_->fields(), !is_hidden_);
  if (refused.ok()) return refused;
  ARROW_ASSIGN_OR_RAISE(const auto versions, registry->Versions(subject));
  arrow::FieldVector all = subject_fields_->fields();
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    ARROW_ASSIGN_OR_RAISE(const auto earlier, registry->Version(subject, *version));
    const auto more = FieldsOf(earlier);
    if (more.ok()) AddMissing(Seen((*more)->fields(), is_hidden_), &all);
  }
  subject_fields_ = arrow::schema(std::move(all));
  if (CheckFits(condition_, subject_fields_->fields(), !is_hidden_).ok()) return Status::OK();
  return refused.WithMessage(refused.message(), " (the fields are those of subject ", subject,
                             ", and partition, offset, timestamp, ",
                             is_hidden_ ? "schema_id; some are hidden)" : "key, schema_id)");
}

Result<refine::RowPredicate*> RecordFilter::PredicateFor(int32_t schema_id, const Schema& fields) {
  const auto known = predicates_.find(schema_id);
  if (known != predicates_.end()) return known->second.get();
  auto predicate = refine::RowPredicate::Open(condition_, fields);
  if (predicate.ok()) {
    fits_ = true;
    unfit_.clear();
    return (predicates_[schema_id] = *std::move(predicate)).get();
  }
  if (schema_id != kUndecoded && subject_fields_ != nullptr) {
    return predicate.status().WithMessage("records with schema ", schema_id, ": ",
                                          predicate.status().message());
  }
  if (schema_id != kUndecoded && !fits_ && unfit_.empty()) unfit_ = predicate.status().message();
  predicates_[schema_id] = nullptr;
  return nullptr;
}

// The group's records as rows: decoded fields, those of other versions, those of every record.
Result<std::shared_ptr<arrow::RecordBatch>> RecordFilter::RowsOf(const DecodedGroup& group,
                                                                 int32_t schema_id) const {
  ARROW_ASSIGN_OR_RAISE(const auto record_values, RecordValues(group.records, schema_id));
  arrow::FieldVector fields;
  arrow::ArrayVector values;
  if (group.values != nullptr) {
    fields = group.values->schema()->fields();
    values = group.values->columns();
  }
  if (subject_fields_ != nullptr) AddMissing(subject_fields_->fields(), &fields);
  const auto rows = static_cast<int64_t>(group.records.size());
  for (size_t i = values.size(); i < fields.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(values.emplace_back(), arrow::MakeArrayOfNull(fields[i]->type(), rows));
  }
  AddMissing(RecordFields(/*with_key=*/!is_hidden_), &fields);
  for (size_t i = values.size(); i < fields.size(); ++i) {
    values.push_back(record_values.at(fields[i]->name()));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows, std::move(values));
}

Result<std::vector<bool>> RecordFilter::Matches(const kafka::RecordBatch& batch) {
  ARROW_ASSIGN_OR_RAISE(const auto groups, DecodeBatch(batch, decoder_, is_hidden_));
  return Matches(groups, batch.records.size());
}

Result<std::vector<bool>> RecordFilter::Matches(const std::map<int32_t, DecodedGroup>& groups,
                                                size_t count) {
  std::vector<bool> matches(count);
  for (const auto& [schema_id, group] : groups) {
    ARROW_ASSIGN_OR_RAISE(const auto rows, RowsOf(group, schema_id));
    ARROW_ASSIGN_OR_RAISE(refine::RowPredicate* const predicate,
                          PredicateFor(schema_id, rows->schema()));
    if (predicate == nullptr) continue;
    ARROW_ASSIGN_OR_RAISE(const std::vector<bool> found, predicate->Matches(*rows));
    for (size_t i = 0; i < found.size(); ++i) matches[group.places[i]] = found[i];
  }
  return matches;
}

}  // namespace shopstream::records
