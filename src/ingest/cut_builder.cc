#include "ingest/cut_builder.h"

#include <algorithm>
#include <set>
#include <utility>

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

CutBuilder::CutBuilder(std::shared_ptr<const BronzeLayout> layout) : bronze_(std::move(layout)) {}

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
                       const KnownSchema& schema) {
  ARROW_ASSIGN_OR_RAISE(std::optional<Verdict> refused, AddBy(schema, record, frame));
  if (refused) Quarantine(Keep(record, frame.schema_id), *std::move(refused));
  return Status::OK();
}

// Adds a row with the schema's decoder, or returns why there is none.
Result<std::optional<Verdict>> CutBuilder::AddBy(const KnownSchema& schema,
                                                 const kafka::RecordView& record,
                                                 const Frame& frame) {
  if (!schema.decoder) return Verdict{schema.cause, schema.detail};
  const bool bronze = schema.layout == bronze_.layout() ||
                      schema.layout->options.table == bronze_.layout()->options.table;
  if (bronze) [[likely]] {
    return bronze_.Add(record, frame, *schema.decoder, schema.layout);
  }
  RowsBuilder& side = Side(schema.layout);
  open_in_sides_ -= side.open_partitions();
  auto refused = side.Add(record, frame, *schema.decoder, schema.layout);
  open_in_sides_ += side.open_partitions();
  return refused;
}

RowsBuilder& CutBuilder::Side(const std::shared_ptr<const BronzeLayout>& layout) {
  return sides_.try_emplace(layout->options.table, layout).first->second;
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
  quarantined_.push_back(std::move(record));
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
    ARROW_ASSIGN_OR_RAISE(std::optional<Verdict> refused, AddBy(*schema, view, frame));
    if (refused) Quarantine(std::move(record), *std::move(refused));
  }
  return Status::OK();
}

int64_t CutBuilder::fullest_value_rows() const {
  int64_t most = std::max(quarantined(), bronze_.fullest_value_rows());
  for (const auto& [table, side] : sides_) most = std::max(most, side.fullest_value_rows());
  return most;
}

int64_t CutBuilder::rows() const {
  int64_t rows = bronze_.rows();
  for (const auto& [table, side] : sides_) rows += side.rows();
  return rows;
}

int64_t CutBuilder::bytes() const {
  int64_t bytes = bronze_.bytes() + quarantined_bytes_ + parked_bytes_;
  for (const auto& [table, side] : sides_) bytes += side.bytes();
  return bytes;
}

Result<Cut> CutBuilder::Finish() {
  Cut cut;
  cut.bytes = bytes();
  ARROW_ASSIGN_OR_RAISE(cut.bronze, bronze_.Finish());
  for (auto& [table, side] : sides_) {
    if (side.rows() == 0) continue;
    ARROW_ASSIGN_OR_RAISE(cut.sides.emplace_back(), side.Finish());
  }
  cut.quarantined = std::move(quarantined_);
  StartEmpty();
  return cut;
}

void CutBuilder::StartEmpty() {
  open_in_sides_ = 0;
  quarantined_.clear();
  quarantined_bytes_ = 0;
  parked_.clear();
  parked_bytes_ = 0;
}

void CutBuilder::Clear() {
  bronze_.Clear();
  sides_.clear();
  StartEmpty();
}

}  // namespace shopstream::ingest
