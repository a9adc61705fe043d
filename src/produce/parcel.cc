#include "produce/parcel.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <arrow/type.h>

#include <charconv>
#include <utility>

#include "avro/schema.h"
#include "produce/wire_fault.h"

namespace shopstream::produce {
namespace {

// The decimal text of each number, concatenated; `ends` gets the end of each.
template <typename ArrayType>
void AppendDecimals(const arrow::Array& column, std::string* text, std::vector<size_t>* ends) {
  constexpr size_t kLongest = 20;
  const auto& numbers = static_cast<const ArrayType&>(column);
  text->resize(numbers.length() * kLongest);
  char* place = text->data();
  for (int64_t row = 0; row < numbers.length(); ++row) {
    place = std::to_chars(place, place + kLongest, numbers.Value(row)).ptr;
    ends->push_back(place - text->data());
  }
}

void AppendTexts(const arrow::Array& column, std::string* text, std::vector<size_t>* ends) {
  const auto& strings = static_cast<const arrow::StringArray&>(column);
  for (int64_t row = 0; row < strings.length(); ++row) {
    text->append(strings.GetView(row));
    ends->push_back(text->size());
  }
}

// The keys as text, as every client writes them.
Status WriteKeys(const arrow::Array& column, std::string* text, std::vector<size_t>* ends) {
  text->clear();
  switch (column.type_id()) {
    case arrow::Type::INT32:
      AppendDecimals<arrow::Int32Array>(column, text, ends);
      return Status::OK();
    case arrow::Type::INT64:
      AppendDecimals<arrow::Int64Array>(column, text, ends);
      return Status::OK();
    case arrow::Type::STRING:
      AppendTexts(column, text, ends);
      return Status::OK();
    default:
      return Status::Invalid("a key cannot be of type ", column.type()->ToString(),
                             "; it is an integer or a string");
  }
}

}  // namespace

ParcelMaker::ParcelMaker(generate::EventSource* source, avro::Encoder encoder, int32_t schema_id)
    : source_(source), encoder_(std::move(encoder)), frame_{0} {
  for (int shift = 24; shift >= 0; shift -= 8) {
    frame_.push_back(static_cast<uint8_t>(schema_id >> shift));
  }
}

Result<ParcelMaker> ParcelMaker::Open(generate::EventSource* source, const arrow::Schema& columns,
                                      const std::string& avro_schema, int32_t schema_id) {
  ARROW_ASSIGN_OR_RAISE(const avro::Schema schema, avro::Schema::Parse(avro_schema));
  ARROW_ASSIGN_OR_RAISE(avro::Encoder encoder, avro::Encoder::Compile(columns, schema));
  return ParcelMaker(source, std::move(encoder), schema_id);
}

Result<Made> ParcelMaker::Make(int64_t max_rows, Parcel* parcel) {
  parcel->messages.clear();
  ARROW_ASSIGN_OR_RAISE(const generate::EventBatch batch, source_->Next(max_rows));
  if (batch.rows == nullptr) return Made::kEnd;
  if (batch.rows->num_rows() == 0) return Made::kNothingDue;
  ARROW_RETURN_NOT_OK(encoder_.Encode(*batch.rows, frame_, &parcel->rows_));
  std::vector<size_t> key_ends;
  key_ends.reserve(batch.rows->num_rows());
  ARROW_RETURN_NOT_OK(
      WriteKeys(*batch.rows->column(source_->key_column()), &parcel->keys_, &key_ends));

  const std::string_view keys = parcel->keys_;
  size_t key_begin = 0;
  for (int64_t row = 0; row < batch.rows->num_rows(); ++row) {
    parcel->messages.push_back(
        {keys.substr(key_begin, key_ends[row] - key_begin), parcel->rows_.Row(row)});
    key_begin = key_ends[row];
  }
  parcel->bytes = static_cast<int64_t>(parcel->rows_.bytes.size());
  parcel->broken_.clear();
  parcel->broken_.reserve(batch.wire_faults.size());  // Messages point into its elements.
  for (const generate::WireFault& fault : batch.wire_faults) {
    kafka::Message& message = parcel->messages[fault.row];
    parcel->broken_.push_back(Break(message.value, fault.fault, fault.random));
    parcel->bytes += static_cast<int64_t>(parcel->broken_.back().size()) -
                     static_cast<int64_t>(message.value.size());
    message.value = parcel->broken_.back();
  }
  parcel->malformed = batch.malformed;
  parcel->late = batch.late;
  parcel->duplicates = batch.duplicates;
  return Made::kMessages;
}

}  // namespace shopstream::produce
