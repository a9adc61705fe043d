// The reading half of checkpoint.h.

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>
#include <parquet/statistics.h>

#include <utility>

#include "base/json.h"
#include "lake/delta/checkpoint.h"
#include "lake/delta/delta_schema.h"
#include "lake/delta/parsed_statistics.h"

namespace shopstream::lake {
namespace {

using arrow::internal::checked_cast;
using nlohmann::json;

constexpr int64_t kReadBatchRows = 4096;  // About 4 MB if the files have statistics.

// A string in whichever layout the writer chose.
std::optional<std::string> TextAt(const arrow::Array& array, int64_t i) {
  if (array.IsNull(i)) return std::nullopt;
  switch (array.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return std::string(checked_cast<const arrow::BinaryArray&>(array).GetView(i));
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return std::string(checked_cast<const arrow::LargeBinaryArray&>(array).GetView(i));
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY_VIEW:
      return std::string(checked_cast<const arrow::BinaryViewArray&>(array).GetView(i));
    default:
      return std::nullopt;
  }
}

// One action's column of a batch. A field that the checkpoint lacks is null (Delta protocol).
class ActionColumn {
 public:
  ActionColumn(const arrow::RecordBatch& batch, const std::string& name)
      : ActionColumn(batch.GetColumnByName(name)) {}

  bool Has(int64_t i) const { return struct_ != nullptr && struct_->IsValid(i); }
  std::optional<std::string> Text(const char* field, int64_t i) const {
    const auto array = Field(field);
    return array == nullptr ? std::nullopt : TextAt(*array, i);
  }
  // The column stats_parsed; empty if there is none.
  std::string Statistics(const char* field, int64_t i) const {
    const auto parsed = std::dynamic_pointer_cast<arrow::StructArray>(Field(field));
    return parsed == nullptr ? "" : StatisticsText(*parsed, i);
  }
  // A struct in the action; it has no fields if absent.
  ActionColumn Struct(const char* field) const { return ActionColumn(Field(field)); }
  std::optional<int64_t> Int(const char* field, int64_t i) const {
    const auto array = Field(field);
    if (array == nullptr || array->IsNull(i)) return std::nullopt;
    if (array->type_id() == arrow::Type::INT64) {
      return checked_cast<const arrow::Int64Array&>(*array).Value(i);
    }
    if (array->type_id() == arrow::Type::INT32) {
      return checked_cast<const arrow::Int32Array&>(*array).Value(i);
    }
    return std::nullopt;
  }
  bool BoolOr(const char* field, int64_t i, bool otherwise) const {
    const auto array = Field(field);
    if (array == nullptr || array->IsNull(i) || array->type_id() != arrow::Type::BOOL) {
      return otherwise;
    }
    return checked_cast<const arrow::BooleanArray&>(*array).Value(i);
  }
  std::vector<std::string> List(const char* field, int64_t i) const {
    std::vector<std::string> out;
    const auto list = std::dynamic_pointer_cast<arrow::ListArray>(Field(field));
    if (list == nullptr || list->IsNull(i)) return out;
    for (int64_t at = list->value_offset(i); at < list->value_offset(i + 1); ++at) {
      if (auto text = TextAt(*list->values(), at)) out.push_back(std::move(*text));
    }
    return out;
  }
  // Nothing if the map itself is null.
  std::optional<PartitionValues> Map(const char* field, int64_t i) const {
    const auto map = std::dynamic_pointer_cast<arrow::MapArray>(Field(field));
    if (map == nullptr || map->IsNull(i)) return std::nullopt;
    PartitionValues out;
    for (int64_t at = map->value_offset(i); at < map->value_offset(i + 1); ++at) {
      auto value = TextAt(*map->items(), at);
      if (value && value->empty()) value.reset();
      out.emplace_back(TextAt(*map->keys(), at).value_or(""), std::move(value));
    }
    return out;
  }

 private:
  explicit ActionColumn(const std::shared_ptr<arrow::Array>& array)
      : struct_(std::dynamic_pointer_cast<arrow::StructArray>(array)) {}
  std::shared_ptr<arrow::Array> Field(const char* field) const {
    return struct_ == nullptr ? nullptr : struct_->GetFieldByName(field);
  }

  std::shared_ptr<arrow::StructArray> struct_;
};

void ReadProtocol(const ActionColumn& column, int64_t i, LogEntry* actions) {
  if (!column.Has(i) || !column.Int("minReaderVersion", i)) return;
  actions->protocol = Protocol{static_cast<int>(*column.Int("minReaderVersion", i)),
                               static_cast<int>(column.Int("minWriterVersion", i).value_or(1)),
                               column.List("readerFeatures", i), column.List("writerFeatures", i)};
}

std::map<std::string, std::string> TextMap(const std::optional<PartitionValues>& pairs) {
  std::map<std::string, std::string> out;
  for (const auto& [key, value] : pairs.value_or(PartitionValues())) out[key] = value.value_or("");
  return out;
}

Status ReadMetadata(const ActionColumn& column, int64_t i, LogEntry* actions) {
  if (!column.Has(i) || !column.Text("schemaString", i)) return Status::OK();
  Metadata metadata;
  if (const ActionColumn format = column.Struct("format"); format.Has(i)) {
    ARROW_RETURN_NOT_OK(CheckDataFormat(format.Text("provider", i)));
    metadata.format_options = TextMap(format.Map("options", i));
  }
  metadata.id = column.Text("id", i).value_or("");
  metadata.name = column.Text("name", i).value_or("");
  metadata.description = column.Text("description", i).value_or("");
  metadata.schema_string = *column.Text("schemaString", i);
  metadata.partition_columns = column.List("partitionColumns", i);
  metadata.configuration = TextMap(column.Map("configuration", i));
  metadata.created_ms = column.Int("createdTime", i);
  actions->metadata = std::move(metadata);
  return Status::OK();
}

void ReadTxn(const ActionColumn& column, int64_t i, LogEntry* actions) {
  if (!column.Has(i) || !column.Text("appId", i)) return;
  actions->txns.push_back({*column.Text("appId", i), column.Int("version", i).value_or(0),
                           column.Int("lastUpdated", i)});
}

Status ReadAdd(const ActionColumn& column, int64_t i, LogEntry* actions) {
  if (!column.Has(i) || !column.Text("path", i)) return Status::OK();
  AddFile add;
  add.file.partition_values = column.Map("partitionValues", i).value_or(PartitionValues());
  add.file.size_bytes = column.Int("size", i).value_or(0);
  add.file.modified_ms = column.Int("modificationTime", i).value_or(0);
  add.file.statistics = column.Text("stats", i).value_or("");
  if (add.file.statistics.empty()) add.file.statistics = column.Statistics("stats_parsed", i);
  if (const auto tags = column.Map("tags", i)) {
    json object = json::object();
    for (const auto& [key, value] : *tags) object[key] = value ? json(*value) : json(nullptr);
    add.tags = DumpJson(object);
  }
  ARROW_RETURN_NOT_OK(SetLogPath(*column.Text("path", i), &add));
  actions->adds.push_back(std::move(add));
  return Status::OK();
}

Status ReadRemove(const ActionColumn& column, int64_t i, LogEntry* actions) {
  if (!column.Has(i) || !column.Text("path", i)) return Status::OK();
  AddFile path;  // For its decoding.
  ARROW_RETURN_NOT_OK(SetLogPath(*column.Text("path", i), &path));
  actions->removes.push_back(
      {path.file.path, path.log_path, column.Int("deletionTimestamp", i).value_or(0),
       column.BoolOr("dataChange", i, true),
       column.Map("partitionValues", i).value_or(PartitionValues()), column.Int("size", i)});
  return Status::OK();
}

Result<LogEntry> ReadActions(const arrow::RecordBatch& batch) {
  LogEntry actions;
  const ActionColumn protocol(batch, "protocol");
  const ActionColumn metadata(batch, "metaData");
  const ActionColumn txn(batch, "txn");
  const ActionColumn add(batch, "add");
  const ActionColumn remove(batch, "remove");
  for (int64_t i = 0; i < batch.num_rows(); ++i) {
    ReadProtocol(protocol, i, &actions);
    ARROW_RETURN_NOT_OK(ReadMetadata(metadata, i, &actions));
    ReadTxn(txn, i, &actions);
    ARROW_RETURN_NOT_OK(ReadAdd(add, i, &actions));
    ARROW_RETURN_NOT_OK(ReadRemove(remove, i, &actions));
  }
  return actions;
}

bool StartsWithAny(const std::string& text, const std::vector<const char*>& beginnings) {
  for (const char* beginning : beginnings) {
    if (text.starts_with(beginning)) return true;
  }
  return false;
}

std::vector<int> LeavesUnder(const parquet::SchemaDescriptor& schema,
                             const std::vector<const char*>& prefixes) {
  std::vector<int> leaves;
  for (int i = 0; i < schema.num_columns(); ++i) {
    if (StartsWithAny(schema.Column(i)->path()->ToDotString() + ".", prefixes)) leaves.push_back(i);
  }
  return leaves;
}

Result<std::unique_ptr<parquet::arrow::FileReader>> OpenPart(ObjectStore* store,
                                                             const std::string& part) {
  ARROW_ASSIGN_OR_RAISE(auto input, store->OpenInput(part));
  parquet::ArrowReaderProperties properties;
  properties.set_batch_size(kReadBatchRows);
  properties.set_pre_buffer(false);
  properties.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);  // Spark's, in stats_parsed.
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(std::move(input)));
  return builder.properties(properties)->Build();
}

// Whether some file lacks JSON statistics, as far as the footer shows. stats_parsed may be by far
// the largest part of a checkpoint, so it is read only if needed.
bool LacksJsonStatistics(const parquet::FileMetaData& file) {
  const int stats = file.schema()->ColumnIndex("add.stats");
  const int path = file.schema()->ColumnIndex("add.path");
  if (stats < 0 || path < 0) return true;
  for (int i = 0; i < file.num_row_groups(); ++i) {
    const auto group = file.RowGroup(i);
    const auto known = group->ColumnChunk(stats)->statistics();
    const auto files = group->ColumnChunk(path)->statistics();
    if (known == nullptr || !known->HasNullCount()) return true;
    if (files == nullptr || !files->HasNullCount()) return true;
    if (known->null_count() > files->null_count()) return true;
  }
  return false;
}

Status ReplayColumns(parquet::arrow::FileReader* reader, const std::vector<const char*>& prefixes,
                     int64_t version, TableState* state) {
  const auto leaves = LeavesUnder(*reader->parquet_reader()->metadata()->schema(), prefixes);
  if (leaves.empty()) return Status::OK();
  std::vector<int> row_groups;
  for (int i = 0; i < reader->num_row_groups(); ++i) row_groups.push_back(i);
  ARROW_ASSIGN_OR_RAISE(auto batches, reader->GetRecordBatchReader(row_groups, leaves));
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, batches->Next());
    if (batch == nullptr) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const LogEntry actions, ReadActions(*batch));
    ARROW_RETURN_NOT_OK(state->ReplayCheckpoint(version, actions));
  }
}

}  // namespace

Result<TableState> ReadCheckpoint(ObjectStore* store, const std::vector<std::string>& parts,
                                  int64_t version) {
  TableState state;
  for (const std::string& part : parts) {
    ARROW_ASSIGN_OR_RAISE(const auto reader, OpenPart(store, part));
    ARROW_RETURN_NOT_OK(
        ReplayColumns(reader.get(), {"protocol.", "metaData.", "txn."}, version, &state));
  }
  for (const std::string& part : parts) {
    ARROW_ASSIGN_OR_RAISE(const auto reader, OpenPart(store, part));
    std::vector<const char*> columns = {"add.path.",          "add.partitionValues.",
                                        "add.size.",          "add.modificationTime.",
                                        "add.stats.",         "add.tags.",
                                        "remove.path.",       "remove.deletionTimestamp.",
                                        "remove.dataChange.", "remove.partitionValues.",
                                        "remove.size."};
    if (LacksJsonStatistics(*reader->parquet_reader()->metadata())) {
      columns.push_back("add.stats_parsed.");
    }
    ARROW_RETURN_NOT_OK(ReplayColumns(reader.get(), columns, version, &state));
  }
  return state;
}

Status CheckCheckpointFooter(ObjectStore* store, const std::string& part) {
  const auto reader = OpenPart(store, part);
  if (!reader.ok()) {
    return reader.status().WithMessage("checkpoint ", part, ": ", reader.status().message());
  }
  if ((*reader)->parquet_reader()->metadata()->num_rows() > 0) return Status::OK();
  return Status::Invalid("checkpoint ", part, " is empty");
}

}  // namespace shopstream::lake
