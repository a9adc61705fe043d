#include "records/decoded_batch.h"

#include <optional>
#include <utility>

#include "base/error_kind.h"
#include "ingest/frame.h"

namespace shopstream::records {
namespace {

std::shared_ptr<arrow::RecordBatch> SeenColumns(const arrow::RecordBatch& values,
                                                const IsHidden& is_hidden) {
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  for (int i = 0; i < values.num_columns(); ++i) {
    if (is_hidden && is_hidden(*values.schema()->field(i))) continue;
    fields.push_back(values.schema()->field(i));
    columns.push_back(values.column(i));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), values.num_rows(),
                                  std::move(columns));
}

}  // namespace

arrow::FieldVector Seen(const arrow::FieldVector& fields, const IsHidden& is_hidden) {
  arrow::FieldVector seen;
  for (const auto& field : fields) {
    if (!is_hidden || !is_hidden(*field)) seen.push_back(field);
  }
  return seen;
}

Result<std::map<int32_t, DecodedGroup>> DecodeBatch(const kafka::RecordBatch& batch,
                                                    RecordDecoder* decoder,
                                                    const IsHidden& is_hidden) {
  std::map<int32_t, DecodedGroup> groups;
  std::map<int32_t, RecordDecoder::Program*> programs;  // Null: none of its records is decoded.
  for (size_t i = 0; i < batch.records.size(); ++i) {
    const kafka::RecordView& record = batch.records[i];
    const auto frame = record.value ? ingest::ParseFrame(*record.value) : std::nullopt;
    RecordDecoder::Program* program = nullptr;
    if (frame) {
      auto known = programs.find(frame->schema_id);
      if (known == programs.end()) {
        const auto found = decoder->ProgramOf(frame->schema_id);
        if (IsUnavailable(found.status())) return found.status();
        known = programs.emplace(frame->schema_id, found.ok() ? *found : nullptr).first;
      }
      program = known->second;
    }
    const bool decoded =
        program != nullptr &&
        program->decoder.Decode(frame->body, &program->columns) == avro::DecodeResult::kRow;
    DecodedGroup& group = groups[decoded ? frame->schema_id : kUndecoded];
    group.places.push_back(i);
    group.records.push_back(&record);
  }
  for (auto& [schema_id, group] : groups) {
    if (schema_id == kUndecoded) continue;
    ARROW_ASSIGN_OR_RAISE(const auto values, programs.at(schema_id)->columns.Finish());
    group.values = SeenColumns(*values, is_hidden);
  }
  return groups;
}

}  // namespace shopstream::records
