#include "ingest/rows_builder.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "ingest/align_columns.h"
#include "model/calendar.h"

namespace shopstream::ingest {
namespace {

// Why a record that was not decoded is in quarantine.
Cause CauseOf(avro::DecodeResult result) {
  if (result == avro::DecodeResult::kOutOfRange) return Cause::kBadTimestamp;
  if (result == avro::DecodeResult::kDoesNotFit) return Cause::kIncompatibleSchema;
  return Cause::kCorrupt;
}

}  // namespace

RowsBuilder::RowsBuilder(std::shared_ptr<const BronzeLayout> layout)
    : layout_(std::move(layout)), columns_(layout_->record) {
  Clear();
}

void RowsBuilder::Admit(const std::vector<PartitionTuple>& values) {
  if (layout_->any_partition_value()) tuples_.Admit(values);
}

Status RowsBuilder::UseLayout(const std::shared_ptr<const BronzeLayout>& layout) {
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

Result<std::optional<Verdict>> RowsBuilder::Add(const kafka::RecordView& record, const Frame& frame,
                                                const avro::Decoder& decoder,
                                                const std::shared_ptr<const BronzeLayout>& layout) {
  ARROW_RETURN_NOT_OK(UseLayout(layout));
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
  rows_.kafka_partition.push_back(record.partition);
  rows_.kafka_offset.push_back(record.offset);
  rows_.kafka_timestamp_ms.push_back(record.timestamp_ms);
  rows_.schema_id.push_back(frame.schema_id);
  rows_.lake_partition.push_back(
      LakePartitionIndex(value, static_cast<int32_t>(FloorDiv(micros, kMicrosPerDay))));
  ++value_rows_[value];
  return std::nullopt;
}

int32_t RowsBuilder::LakePartitionIndex(int value, int32_t date) {
  const LakePartition wanted{value, date};
  if (static_cast<size_t>(value) >= last_index_.size()) {
    last_index_.resize(tuples_.tuples().size(), -1);
    value_rows_.resize(tuples_.tuples().size(), 0);
  }
  int32_t& last = last_index_[value];
  if (last >= 0 && rows_.lake_partitions[last] == wanted) return last;
  const int64_t key = int64_t{value} << 32 | static_cast<uint32_t>(date);
  auto [entry, is_new] =
      lake_partition_index_.try_emplace(key, static_cast<int32_t>(rows_.lake_partitions.size()));
  if (is_new) rows_.lake_partitions.push_back(wanted);
  return last = entry->second;
}

int64_t RowsBuilder::fullest_value_rows() const {
  return value_rows_.empty() ? 0 : *std::ranges::max_element(value_rows_);
}

int64_t RowsBuilder::bytes() const {
  constexpr int64_t kCoordinateBytes = 3 * sizeof(int32_t) + 2 * sizeof(int64_t);
  return columns_.bytes() + earlier_bytes_ +
         static_cast<int64_t>(rows_.kafka_offset.capacity()) * kCoordinateBytes;
}

Result<TableRows> RowsBuilder::Finish() {
  ARROW_ASSIGN_OR_RAISE(rows_.rows, columns_.Finish());
  if (!earlier_.empty()) {
    earlier_.push_back(std::move(rows_.rows));
    ARROW_ASSIGN_OR_RAISE(rows_.rows, AlignBatches(std::exchange(earlier_, {}), layout_->record));
  }
  rows_.layout = layout_;
  rows_.partition_values = tuples_.tuples();
  TableRows rows = std::move(rows_);
  StartEmpty();
  return rows;
}

void RowsBuilder::StartEmpty() {
  columns_.Truncate(0);
  earlier_.clear();
  earlier_bytes_ = 0;
  rows_ = TableRows{};
  lake_partition_index_.clear();
  std::ranges::fill(last_index_, -1);
  std::ranges::fill(value_rows_, 0);
}

void RowsBuilder::Clear() {
  last_index_.clear();
  value_rows_.clear();
  StartEmpty();
  tuples_.Clear(*layout_);
}

}  // namespace shopstream::ingest
