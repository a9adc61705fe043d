#include "records/record_json.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <string_view>
#include <utility>

#include "avro/schema.h"
#include "base/error_kind.h"
#include "base/format.h"
#include "base/json.h"
#include "ingest/frame.h"
#include "model/calendar.h"

namespace shopstream::records {
namespace {

using nlohmann::ordered_json;

constexpr Millis kRemembered{1000};

ordered_json MembersToJson(const arrow::StructArray& column, int64_t i) {
  ordered_json members = ordered_json::object();
  for (int field = 0; field < column.num_fields(); ++field) {
    members[column.struct_type()->field(field)->name()] = ValueToJson(*column.field(field), i);
  }
  return members;
}

ordered_json ItemsToJson(const arrow::ListArray& column, int64_t i) {
  ordered_json items = ordered_json::array();
  for (int64_t at = column.value_offset(i); at < column.value_offset(i + 1); ++at) {
    items.push_back(ValueToJson(*column.values(), at));
  }
  return items;
}

ordered_json EntriesToJson(const arrow::MapArray& column, int64_t i) {
  ordered_json entries = ordered_json::object();
  const auto& keys = static_cast<const arrow::StringArray&>(*column.keys());
  for (int64_t at = column.value_offset(i); at < column.value_offset(i + 1); ++at) {
    entries[keys.GetString(at)] = ValueToJson(*column.items(), at);
  }
  return entries;
}

int64_t MillisOf(const arrow::TimestampArray& times, int64_t i) {
  const auto unit = static_cast<const arrow::TimestampType&>(*times.type()).unit();
  return unit == arrow::TimeUnit::MILLI ? times.Value(i) : times.Value(i) / 1000;
}

}  // namespace

// A value of a column of any type that ToArrowSchema produces, or that purchases have.
ordered_json ValueToJson(const arrow::Array& column, int64_t i) {
  if (column.IsNull(i)) return nullptr;
  switch (column.type_id()) {
    case arrow::Type::INT32:
      return static_cast<const arrow::Int32Array&>(column).Value(i);
    case arrow::Type::INT64:
      return static_cast<const arrow::Int64Array&>(column).Value(i);
    case arrow::Type::DOUBLE:
      return static_cast<const arrow::DoubleArray&>(column).Value(i);
    case arrow::Type::BOOL:
      return static_cast<const arrow::BooleanArray&>(column).Value(i);
    case arrow::Type::STRING:
      return std::string(static_cast<const arrow::StringArray&>(column).GetView(i));
    case arrow::Type::BINARY:
      return FormatHex(static_cast<const arrow::BinaryArray&>(column).GetView(i));
    case arrow::Type::DECIMAL128:
      return static_cast<const arrow::Decimal128Array&>(column).FormatValue(i);
    case arrow::Type::DATE32:
      return FormatDate(static_cast<const arrow::Date32Array&>(column).Value(i));
    case arrow::Type::TIMESTAMP:
      return FormatTimestamp(MillisOf(static_cast<const arrow::TimestampArray&>(column), i));
    case arrow::Type::STRUCT:
      return MembersToJson(static_cast<const arrow::StructArray&>(column), i);
    case arrow::Type::LIST:
      return ItemsToJson(static_cast<const arrow::ListArray&>(column), i);
    case arrow::Type::MAP:
      return EntriesToJson(static_cast<const arrow::MapArray&>(column), i);
    default:
      return "(" + column.type()->ToString() + ")";
  }
}

std::string_view AsText(kafka::Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

ordered_json RowToJson(const arrow::RecordBatch& rows, int64_t row) {
  ordered_json values = ordered_json::object();
  for (int c = 0; c < rows.num_columns(); ++c) {
    values[rows.schema()->field(c)->name()] = ValueToJson(*rows.column(c), row);
  }
  return values;
}

RecordDecoder::RecordDecoder(registry::Client* registry) : registry_(registry) {}

Result<RecordDecoder::Program*> RecordDecoder::ProgramOf(int32_t schema_id) {
  if (const auto known = programs_.find(schema_id); known != programs_.end()) {
    return known->second.get();
  }
  const auto failed = failures_.find(schema_id);
  if (failed != failures_.end() && BootClock::now() < failed->second.until)
    return failed->second.why;
  auto program = Compile(schema_id);
  failures_.erase(schema_id);
  if (!program.ok()) failures_[schema_id] = {program.status(), BootClock::now() + kRemembered};
  return program;
}

Result<RecordDecoder::Program*> RecordDecoder::Compile(int32_t schema_id) {
  const registry::LookUp found = registry_->ById(schema_id);
  if (found.outcome == registry::LookUpOutcome::kUnknown) {
    return Status::KeyError("the registry has no schema ", schema_id);
  }
  if (found.outcome == registry::LookUpOutcome::kUnavailable) return Unavailable(found.detail);
  ARROW_ASSIGN_OR_RAISE(const avro::Schema schema, avro::Schema::ParseKept(found.schema.schema));
  ARROW_ASSIGN_OR_RAISE(avro::Decoder decoder, avro::Decoder::Compile(schema, schema));
  ARROW_ASSIGN_OR_RAISE(auto columns, avro::ToArrowSchema(schema));
  auto program =
      std::make_unique<Program>(Program{std::move(decoder), avro::Columns(std::move(columns))});
  return (programs_[schema_id] = std::move(program)).get();
}

Result<ordered_json> RecordDecoder::DecodeValue(int32_t schema_id, kafka::Bytes body) {
  ARROW_ASSIGN_OR_RAISE(Program* const program, ProgramOf(schema_id));
  std::string place;
  const avro::DecodeResult decoded = program->decoder.Decode(body, &program->columns, &place);
  if (decoded != avro::DecodeResult::kRow) {
    return Status::Invalid("corrupt", place.empty() ? "" : ", at " + place, ": ",
                           avro::Describe(decoded));
  }
  ARROW_ASSIGN_OR_RAISE(const auto row, program->columns.Finish());
  return RowToJson(*row, 0);
}

ordered_json RecordDecoder::ToJson(const kafka::RecordView& record) {
  ordered_json out = {
      {"partition", record.partition}, {"offset", record.offset}, {"timestamp", nullptr}};
  if (record.timestamp_ms != kNoTimestamp) {
    out["timestamp"] = FormatTimestamp(record.timestamp_ms);
  }
  out["key"] = record.key ? ordered_json(Printable(AsText(*record.key))) : ordered_json(nullptr);
  if (!record.value) {
    out["value"] = nullptr;
    return out;
  }
  const auto frame = ingest::ParseFrame(*record.value);
  if (!frame) {
    out["error"] = "no frame: the value does not begin with 0x00 and a schema id";
    out["value_hex"] = FormatHex(AsText(*record.value));
    return out;
  }
  out["schema_id"] = frame->schema_id;
  const Result<ordered_json> value = DecodeValue(frame->schema_id, frame->body);
  if (value.ok()) {
    out["value"] = *value;
  } else {
    out["error"] = value.status().message();
    out["value_hex"] = FormatHex(AsText(*record.value));
  }
  return out;
}

}  // namespace shopstream::records
