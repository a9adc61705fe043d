#include "lake/delta/checkpoint.h"

#include <arrow/builder.h>
#include <arrow/io/memory.h>
#include <arrow/record_batch.h>
#include <arrow/table_builder.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <utility>

#include "base/json.h"

namespace shopstream::lake {
namespace {

using arrow::internal::checked_cast;
using nlohmann::json;

constexpr int64_t kBatchRows = 4096;  // About 4 MB if the files have statistics.

std::shared_ptr<arrow::Schema> CheckpointSchema() {
  using arrow::field;
  const auto text = arrow::utf8();
  const auto text_map = arrow::map(text, text);
  const auto format = arrow::struct_({field("provider", text), field("options", text_map)});
  return arrow::schema(
      {field("protocol", arrow::struct_({field("minReaderVersion", arrow::int32()),
                                         field("minWriterVersion", arrow::int32())})),
       field("metaData",
             arrow::struct_({field("id", text), field("name", text), field("description", text),
                             field("format", format), field("schemaString", text),
                             field("partitionColumns", arrow::list(field("element", text))),
                             field("createdTime", arrow::int64()),
                             field("configuration", text_map)})),
       field("txn", arrow::struct_({field("appId", text), field("version", arrow::int64()),
                                    field("lastUpdated", arrow::int64())})),
       field("add", arrow::struct_({field("path", text), field("partitionValues", text_map),
                                    field("size", arrow::int64()),
                                    field("modificationTime", arrow::int64()),
                                    field("dataChange", arrow::boolean()), field("stats", text),
                                    field("tags", text_map)})),
       field("remove",
             arrow::struct_({field("path", text), field("deletionTimestamp", arrow::int64()),
                             field("dataChange", arrow::boolean()),
                             field("extendedFileMetadata", arrow::boolean()),
                             field("partitionValues", text_map), field("size", arrow::int64())}))});
}

// Appends one action's fields in the order of its struct.
class ActionWriter {
 public:
  explicit ActionWriter(arrow::ArrayBuilder* builder)
      : builder_(checked_cast<arrow::StructBuilder*>(builder)), status_(builder_->Append()) {}

  ActionWriter& Text(const std::string& text) { return Put<arrow::StringBuilder>(text); }
  ActionWriter& TextOrNull(const std::string& text) { return text.empty() ? Null() : Text(text); }
  ActionWriter& Int32(int32_t value) { return Put<arrow::Int32Builder>(value); }
  ActionWriter& Int64(int64_t value) { return Put<arrow::Int64Builder>(value); }
  ActionWriter& Int64OrNull(const std::optional<int64_t>& value) {
    return value ? Int64(*value) : Null();
  }
  ActionWriter& Bool(bool value) { return Put<arrow::BooleanBuilder>(value); }
  ActionWriter& Null() { return Note(Next()->AppendNull()); }
  template <typename Pairs>
  ActionWriter& Map(const Pairs& pairs) {
    return Note(AppendMap(Next(), pairs));
  }
  ActionWriter& List(const std::vector<std::string>& items) {
    auto* list = checked_cast<arrow::ListBuilder*>(Next());
    Note(list->Append());
    for (const auto& item : items) {
      Note(checked_cast<arrow::StringBuilder*>(list->value_builder())->Append(item));
    }
    return *this;
  }
  // metaData.format
  ActionWriter& ParquetFormat(const std::map<std::string, std::string>& options) {
    ActionWriter format(Next());
    format.Text("parquet").Map(options);
    return Note(format.Finish());
  }
  Status Finish() const { return status_; }

 private:
  arrow::ArrayBuilder* Next() { return builder_->field_builder(next_++); }
  ActionWriter& Note(const Status& status) {
    status_ &= status;
    return *this;
  }
  template <typename Builder, typename Value>
  ActionWriter& Put(const Value& value) {
    return Note(checked_cast<Builder*>(Next())->Append(value));
  }

  static const std::string* Present(const std::string& value) { return &value; }
  static const std::string* Present(const std::optional<std::string>& value) {
    return value ? &*value : nullptr;
  }
  template <typename Pairs>
  static Status AppendMap(arrow::ArrayBuilder* builder, const Pairs& pairs) {
    auto* map = checked_cast<arrow::MapBuilder*>(builder);
    ARROW_RETURN_NOT_OK(map->Append());
    auto* keys = checked_cast<arrow::StringBuilder*>(map->key_builder());
    auto* values = checked_cast<arrow::StringBuilder*>(map->item_builder());
    for (const auto& [key, value] : pairs) {
      ARROW_RETURN_NOT_OK(keys->Append(key));
      const std::string* text = Present(value);
      ARROW_RETURN_NOT_OK(text == nullptr ? values->AppendNull() : values->Append(*text));
    }
    return Status::OK();
  }

  arrow::StructBuilder* builder_;
  int next_ = 0;
  Status status_;
};

// Collects actions into batches, and batches into a Parquet file in memory.
class CheckpointWriter {
 public:
  static Result<std::unique_ptr<CheckpointWriter>> Open() {
    auto writer = std::unique_ptr<CheckpointWriter>(new CheckpointWriter());
    ARROW_ASSIGN_OR_RAISE(writer->sink_, arrow::io::BufferOutputStream::Create());
    const auto properties = parquet::WriterProperties::Builder()
                                .compression(arrow::Compression::ZSTD)
                                ->compression_level(1)
                                ->build();
    ARROW_ASSIGN_OR_RAISE(writer->parquet_, parquet::arrow::FileWriter::Open(
                                                *CheckpointSchema(), arrow::default_memory_pool(),
                                                writer->sink_, properties));
    ARROW_ASSIGN_OR_RAISE(
        writer->batch_, arrow::RecordBatchBuilder::Make(CheckpointSchema(),
                                                        arrow::default_memory_pool(), kBatchRows));
    return writer;
  }

  Status Write(const Protocol& protocol) {
    return Row(0, ActionWriter(batch_->GetField(0))
                      .Int32(protocol.min_reader_version)
                      .Int32(protocol.min_writer_version));
  }
  Status Write(const Metadata& metadata) {
    return Row(1, ActionWriter(batch_->GetField(1))
                      .Text(metadata.id)
                      .TextOrNull(metadata.name)
                      .TextOrNull(metadata.description)
                      .ParquetFormat(metadata.format_options)
                      .Text(metadata.schema_string)
                      .List(metadata.partition_columns)
                      .Int64OrNull(metadata.created_ms)
                      .Map(metadata.configuration));
  }
  Status Write(const Txn& txn) {
    return Row(2, ActionWriter(batch_->GetField(2))
                      .Text(txn.app_id)
                      .Int64(txn.version)
                      .Int64OrNull(txn.last_updated_ms));
  }
  Status Write(const AddFile& add) {
    ActionWriter row(batch_->GetField(3));
    row.Text(add.log_path)
        .Map(add.file.partition_values)
        .Int64(add.file.size_bytes)
        .Int64(add.file.modified_ms)
        .Bool(false)  // In a checkpoint no file is a data change.
        .TextOrNull(add.file.statistics);
    const json tags = ParseJson(add.tags);
    if (tags.is_object()) {
      PartitionValues pairs;
      for (const auto& [key, value] : tags.items()) {
        pairs.emplace_back(
            key, value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt);
      }
      row.Map(pairs);
    } else {
      row.Null();
    }
    return Row(3, row);
  }
  Status Write(const RemoveFile& remove) {
    ActionWriter row(batch_->GetField(4));
    row.Text(remove.log_path)
        .Int64(remove.deleted_ms)
        .Bool(remove.data_change)
        .Bool(remove.size_bytes.has_value());
    if (remove.size_bytes) {
      row.Map(remove.partition_values).Int64(*remove.size_bytes);
    } else {
      row.Null().Null();
    }
    return Row(4, row);
  }

  int64_t actions() const { return actions_; }
  Result<std::shared_ptr<arrow::Buffer>> Finish() {
    ARROW_RETURN_NOT_OK(Flush());
    ARROW_RETURN_NOT_OK(parquet_->Close());
    return sink_->Finish();
  }

 private:
  CheckpointWriter() = default;

  // Completes a row in which column `written` is filled.
  Status Row(int written, const ActionWriter& action) {
    ARROW_RETURN_NOT_OK(action.Finish());
    for (int i = 0; i < batch_->num_fields(); ++i) {
      if (i != written) ARROW_RETURN_NOT_OK(batch_->GetField(i)->AppendNull());
    }
    ++actions_;
    return actions_ % kBatchRows == 0 ? Flush() : Status::OK();
  }
  Status Flush() {
    ARROW_ASSIGN_OR_RAISE(const auto batch, batch_->Flush());
    return batch->num_rows() == 0 ? Status::OK() : parquet_->WriteRecordBatch(*batch);
  }

  std::shared_ptr<arrow::io::BufferOutputStream> sink_;
  std::unique_ptr<parquet::arrow::FileWriter> parquet_;
  std::unique_ptr<arrow::RecordBatchBuilder> batch_;
  int64_t actions_ = 0;
};

std::string HintPath(const std::string& table_path) {
  return LogFolder(table_path) + "_last_checkpoint";
}

Status WriteHint(ObjectStore* store, const std::string& table_path, const json& hint) {
  ARROW_ASSIGN_OR_RAISE(const int64_t known, ReadCheckpointHint(store, table_path));
  if (known >= hint["version"]) return Status::OK();
  return store->Put(HintPath(table_path), *arrow::Buffer::FromString(hint.dump()));
}

}  // namespace

Status WriteCheckpoint(ObjectStore* store, const std::string& table_path, const TableState& state,
                       int64_t now_ms) {
  TableState kept = state;
  kept.DropExpiredTombstones(now_ms);
  ARROW_ASSIGN_OR_RAISE(const auto writer, CheckpointWriter::Open());
  ARROW_RETURN_NOT_OK(writer->Write(kept.protocol()));
  ARROW_RETURN_NOT_OK(writer->Write(kept.metadata()));
  for (const Txn& txn : kept.TxnActions()) ARROW_RETURN_NOT_OK(writer->Write(txn));
  Status status;
  kept.ForEachAdd([&](const AddFile& add) {
    if (status.ok()) status = writer->Write(add);
  });
  kept.ForEachTombstone([&](const RemoveFile& remove) {
    if (status.ok()) status = writer->Write(remove);
  });
  ARROW_RETURN_NOT_OK(status);
  ARROW_ASSIGN_OR_RAISE(const auto content, writer->Finish());
  const std::string path =
      LogFolder(table_path) + ZeroPadded(state.version(), 20) + ".checkpoint.parquet";
  // Another writer's checkpoint of the same version has the same content.
  ARROW_ASSIGN_OR_RAISE(const PutOutcome outcome, store->PutIfAbsent(path, *content));
  json hint = {{"version", state.version()}, {"size", writer->actions()}};
  if (outcome == PutOutcome::kCreated) {
    hint["sizeInBytes"] = content->size();
    hint["numOfAddFiles"] = kept.file_count();
  }
  return WriteHint(store, table_path, hint);
}

Result<int64_t> ReadCheckpointHint(ObjectStore* store, const std::string& table_path) {
  ARROW_ASSIGN_OR_RAISE(const auto content, store->Get(HintPath(table_path)));
  if (content == nullptr) return -1;
  const json hint = ParseJson(std::string_view(*content));
  if (!hint.is_object() || !hint.contains("version") || !hint["version"].is_number_integer()) {
    return -1;
  }
  return hint["version"].get<int64_t>();
}

}  // namespace shopstream::lake
