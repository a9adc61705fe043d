#include "ingest/cut_builder.h"

#include <algorithm>
#include <set>
#include <utility>

#include "ingest/align_columns.h"
#include "ingest/frame.h"
#include "ingest/header_json.h"
#include "model/calendar.h"

namespace shopstream::ingest {
namespace {

std::optional<std::string> ToText(const std::optional<kafka::Bytes>& bytes) {
  if (!bytes) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
}

QuarantinedRecord Keep(const kafka::RecordView& record, std::optional<int32_t> schema_id) {
  QuarantinedRecord kept;
  kept.partition = record.partition;
  kept.offset = record.offset;
  kept.timestamp_ms = record.timestamp_ms;
  kept.schema_id = schema_id;
  kept.key = ToText(record.key);
  kept.value = ToText(record.value);
  kept.headers_json = HeadersToJson(kafka::ReadHeaders(record));
  return kept;
}

int64_t SizeOf(const QuarantinedRecord& record) {
  return static_cast<int64_t>(sizeof(QuarantinedRecord) + record.detail.size() +
                              record.key.value_or("").size() + record.value.value_or("").size() +
                              record.headers_json.size());
}

// Why a record that was not decoded is in quarantine.
Cause CauseOf(avro::DecodeResult result) {
  if (result == avro::DecodeResult::kOutOfRange) return Cause::kBadTimestamp;
  if (result == avro::DecodeResult::kDoesNotFit) return Cause::kIncompatibleSchema;
  return Cause::kCorrupt;
}

}  // namespace

kafka::RecordView View(const QuarantinedRecord& kept) {
  kafka::RecordView record;
  record.partition = kept.partition;
  record.offset = kept.offset;
  record.timestamp_ms = kept.timestamp_ms;
  if (kept.value) {
    record.value =
        kafka::Bytes(reinterpret_cast<const uint8_t*>(kept.value->data()), kept.value->size());
  }
  return record;
}

CutBuilder::CutBuilder(std::shared_ptr<const BronzeLayout> layout)
    : layout_(std::move(layout)), columns_(layout_->record) {
  Clear();
}

void CutBuilder::Admit(const std::vector<PartitionTuple>& values) {
  if (layout_->any_partition_value()) tuples_.Admit(values);
}

std::optional<Frame> CutBuilder::Open(const kafka::RecordView& record) {
  if (!record.value || record.value->empty()) {
    Quarantine(Keep(record, std::nullopt),
               {Cause::kEmpty, record.value ? "the value has no bytes" : "the value is null"});
    return std::nullopt;
  }
  std::optional<Frame> frame = ParseFrame(*record.value);
  if (!frame) {
    Quarantine(
        Keep(record, std::nullopt),
        {Cause::kBadFrame, "the value does not begin with 0x00 and a schema id of four bytes"});
    return std::nullopt;
  }
  if (record.value->size() > kMaxRecordBytes) {
    Quarantine(Keep(record, frame->schema_id),
               {Cause::kTooLarge, std::to_string(record.value->size()) + " bytes; at most " +
                                      std::to_string(kMaxRecordBytes) + " are decoded"});
    return std::nullopt;
  }
  return frame;
}

Status CutBuilder::Add(const kafka::RecordView& record, const Frame& frame,
                       const KnownSchema& schema,
                       const std::shared_ptr<const BronzeLayout>& layout) {
  ARROW_ASSIGN_OR_RAISE(std::optional<Verdict> refused, AddBy(schema, record, frame, layout));
  if (refused) Quarantine(Keep(record, frame.schema_id), *std::move(refused));
  return Status::OK();
}

// Adds a row with the schema's decoder, or returns why there is none.
Result<std::optional<CutBuilder::Verdict>> CutBuilder::AddBy(
    const KnownSchema& schema, const kafka::RecordView& record, const Frame& frame,
    const std::shared_ptr<const BronzeLayout>& layout) {
  if (!schema.decoder) return Verdict{schema.cause, schema.detail};
  ARROW_RETURN_NOT_OK(UseLayout(layout));
  return AddRow(record, frame, *schema.decoder);
}

Status CutBuilder::UseLayout(const std::shared_ptr<const BronzeLayout>& layout) {
  if (layout == layout_) [[likely]] {
    return Status::OK();
  }
  if (columns_.rows() > 0) {
    earlier_bytes_ += columns_.bytes();
    ARROW_ASSIGN_OR_RAISE(earlier_.emplace_back(), columns_.Finish());
  }
  layout_ = layout;
  columns_ = avro::Columns(layout_->record);
  return Status::OK();
}

// Appends the row, or changes nothing and returns the reason.
Result<std::optional<CutBuilder::Verdict>> CutBuilder::AddRow(const kafka::RecordView& record,
                                                              const Frame& frame,
                                                              const avro::Decoder& decoder) {
  const int64_t row = columns_.rows();
  std::string place;
  avro::DecodeResult result = decoder.Decode(frame.body, &columns_, &place);
  if (result == avro::DecodeResult::kColumnsFull) {
    return Status::OutOfMemory("no room for another row at partition ", record.partition,
                               " offset ", record.offset, "; ", bytes(),
                               " bytes are held. Lower ingest.memory_limit_mb");
  }
  if (result != avro::DecodeResult::kRow) {
    const std::string where = place.empty() ? "" : "at " + place + ": ";
    return Verdict{CauseOf(result), where + avro::Describe(result)};
  }
  auto refuse = [&](Cause cause, std::string detail) {
    columns_.Truncate(row);
    return Verdict{cause, std::move(detail)};
  };
  std::variant<int, std::string> found = tuples_.Find(*layout_, columns_, row);
  if (auto* why = std::get_if<std::string>(&found)) {
    return refuse(Cause::kUnknownPartitionValue, std::move(*why));
  }
  if (!IsCalendarMillis(record.timestamp_ms)) {
    return refuse(Cause::kBadTimestamp, DescribeSentOutside(record.timestamp_ms));
  }
  std::variant<int64_t, std::string> time =
      ReadEventTime(layout_->event_time, columns_, row, record);
  if (auto* why = std::get_if<std::string>(&time)) {
    return refuse(Cause::kBadTimestamp, std::move(*why));
  }
  const int64_t micros = std::get<int64_t>(time);
  // Only a row admits new values.
  const int known = std::get<int>(found);
  const int value = known == PartitionTuples::kNew ? tuples_.AddFound() : known;
  cut_.kafka_partition.push_back(record.partition);
  cut_.kafka_offset.push_back(record.offset);
  cut_.kafka_timestamp_ms.push_back(record.timestamp_ms);
  cut_.schema_id.push_back(frame.schema_id);
  cut_.lake_partition.push_back(
      LakePartitionIndex(value, static_cast<int32_t>(FloorDiv(micros, kMicrosPerDay))));
  ++value_rows_[value];
  return std::nullopt;
}

void CutBuilder::Quarantine(QuarantinedRecord record, Verdict verdict) {
  record.cause = verdict.cause;
  record.detail = std::move(verdict.detail);
  // The column is null in that case; the exact number is kept here.
  const std::string sent = DescribeSentOutside(record.timestamp_ms);
  if (!IsCalendarMillis(record.timestamp_ms) && record.detail != sent) {
    record.detail += "; " + sent;
  }
  quarantined_bytes_ += SizeOf(record);
  cut_.quarantined.push_back(std::move(record));
}

void CutBuilder::Park(const kafka::RecordView& record, int32_t schema_id) {
  parked_.push_back(Keep(record, schema_id));
  parked_bytes_ += SizeOf(parked_.back());
}

std::vector<int32_t> CutBuilder::ParkedIds() const {
  std::set<int32_t> ids;
  for (const QuarantinedRecord& record : parked_) ids.insert(*record.schema_id);
  return {ids.begin(), ids.end()};
}

Status CutBuilder::DecideParked(const SchemaCache& schemas, BootClock::time_point now) {
  parked_bytes_ = 0;
  for (QuarantinedRecord& record : std::exchange(parked_, {})) {
    const KnownSchema* schema = schemas.Find(*record.schema_id, now);
    if (schema == nullptr) {
      parked_bytes_ += SizeOf(record);
      parked_.push_back(std::move(record));
      continue;
    }
    const kafka::RecordView view = View(record);
    const Frame frame{*record.schema_id, view.value->subspan(kFrameHeaderBytes)};
    ARROW_ASSIGN_OR_RAISE(std::optional<Verdict> refused,
                          AddBy(*schema, view, frame, schemas.layout()));
    if (refused) Quarantine(std::move(record), *std::move(refused));
  }
  return Status::OK();
}

int32_t CutBuilder::LakePartitionIndex(int value, int32_t date) {
  const LakePartition wanted{value, date};
  if (static_cast<size_t>(value) >= last_index_.size()) {
    last_index_.resize(tuples_.tuples().size(), -1);
    value_rows_.resize(tuples_.tuples().size(), 0);
  }
  int32_t& last = last_index_[value];
  if (last >= 0 && cut_.lake_partitions[last] == wanted) return last;
  const int64_t key = int64_t{value} << 32 | static_cast<uint32_t>(date);
  auto [entry, is_new] =
      lake_partition_index_.try_emplace(key, static_cast<int32_t>(cut_.lake_partitions.size()));
  if (is_new) cut_.lake_partitions.push_back(wanted);
  return last = entry->second;
}

int64_t CutBuilder::fullest_value_rows() const {
  int64_t largest = quarantined();
  for (const int64_t rows : value_rows_) largest = std::max(largest, rows);
  return largest;
}

int64_t CutBuilder::bytes() const {
  constexpr int64_t kCoordinateBytes = 3 * sizeof(int32_t) + 2 * sizeof(int64_t);
  return columns_.bytes() + earlier_bytes_ +
         static_cast<int64_t>(cut_.kafka_offset.capacity()) * kCoordinateBytes +
         quarantined_bytes_ + parked_bytes_;
}

Result<Cut> CutBuilder::Finish() {
  cut_.bytes = bytes();
  ARROW_ASSIGN_OR_RAISE(cut_.rows, columns_.Finish());
  if (!earlier_.empty()) {
    earlier_.push_back(std::move(cut_.rows));
    ARROW_ASSIGN_OR_RAISE(cut_.rows, AlignBatches(std::exchange(earlier_, {}), layout_->record));
  }
  cut_.layout = layout_;
  cut_.partition_values = tuples_.tuples();
  Cut cut = std::move(cut_);
  StartEmpty();
  return cut;
}

void CutBuilder::StartEmpty() {
  columns_.Truncate(0);
  earlier_.clear();
  earlier_bytes_ = 0;
  cut_ = Cut{};
  lake_partition_index_.clear();
  std::fill(last_index_.begin(), last_index_.end(), -1);
  std::fill(value_rows_.begin(), value_rows_.end(), 0);
  quarantined_bytes_ = 0;
  parked_.clear();
  parked_bytes_ = 0;
}

void CutBuilder::Clear() {
  last_index_.clear();
  value_rows_.clear();
  StartEmpty();
  tuples_.Clear(*layout_);
}

}  // namespace shopstream::ingest
