#pragma once

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "lake/store/object_store.h"
#include "model/data_file.h"
#include "tables/coordinates.h"

namespace shopstream::tables {

// An undecodable record, as stored in quarantine.
struct QuarantinedRow {
  std::string topic, topic_id;
  int32_t partition = 0;
  int64_t offset = 0;
  // Kafka's; microseconds since the Unix epoch. Nothing: outside the years 0001 to 9999; `detail`
  // contains the number.
  std::optional<int64_t> timestamp_us;
  std::optional<int32_t> schema_id;
  std::string cause, detail;
  std::optional<std::string> key, value;
  std::string headers;  // JSON text.
  int64_t quarantined_at_us = 0;
  std::optional<int64_t> value_bytes = {};  // Nothing: there is no value.

  // When the record was sent, even outside those years. Nothing: it had no time, or an earlier
  // program did not keep one that no table can hold.
  std::optional<int64_t> sent_ms() const;
};

// The rows of one batch of quarantine.
class QuarantinedRows {
 public:
  // Invalid: a column is missing or has another type.
  static Result<QuarantinedRows> Of(const arrow::RecordBatch& rows);

  int64_t size() const { return causes_->length(); }
  const CoordinateColumns& coordinates() const { return coordinates_; }
  std::string_view TopicAt(int64_t row) const { return topics_->GetView(row); }
  std::string_view CauseAt(int64_t row) const { return causes_->GetView(row); }
  std::optional<int64_t> TimestampAt(int64_t row) const;
  int64_t QuarantinedAtAt(int64_t row) const;  // As in QuarantinedRow.
  QuarantinedRow Read(int64_t row) const;
  // Without key, value and headers, which may be long.
  QuarantinedRow ReadSummary(int64_t row) const;

 private:
  explicit QuarantinedRows(CoordinateColumns coordinates) : coordinates_(std::move(coordinates)) {}

  CoordinateColumns coordinates_;
  std::shared_ptr<arrow::StringArray> topics_, causes_, details_, headers_;
  std::shared_ptr<arrow::BinaryArray> keys_, values_;
  std::shared_ptr<arrow::Int32Array> schema_ids_;
  std::shared_ptr<arrow::TimestampArray> timestamps_, quarantined_at_;
};

// Calls `on_rows` with each batch of a data file of quarantine, in the file's order; an error stops
// it. Errors name the file.
Status VisitQuarantined(lake::ObjectStore* store, const std::string& table_path,
                        const DataFile& file, const std::shared_ptr<arrow::Schema>& schema,
                        const std::function<Status(const QuarantinedRows&)>& on_rows);

}  // namespace shopstream::tables
