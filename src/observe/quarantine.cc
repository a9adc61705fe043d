#include "observe/quarantine.h"

#include <arrow/array.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string_view>
#include <tuple>
#include <utility>

#include "lake/parquet_file.h"
#include "lake/table.h"

namespace shopstream::observe {
namespace {

// Typed looks into one batch by column name; a column that is missing or of another type is an
// error of the first look, kept for the end.
class RowReader {
 public:
  explicit RowReader(const arrow::RecordBatch& rows) : rows_(rows) {}

  std::optional<int64_t> Integer(const char* name, int64_t row) {
    const auto column = Find(name);
    if (column == nullptr || column->IsNull(row)) return std::nullopt;
    switch (column->type_id()) {
      case arrow::Type::INT32:
        return static_cast<const arrow::Int32Array&>(*column).Value(row);
      case arrow::Type::INT64:
        return static_cast<const arrow::Int64Array&>(*column).Value(row);
      case arrow::Type::TIMESTAMP:
        return static_cast<const arrow::TimestampArray&>(*column).Value(row);
      default:
        return WrongType(name, *column);
    }
  }

  std::optional<std::string> Bytes(const char* name, int64_t row) {
    const auto column = Find(name);
    if (column == nullptr || column->IsNull(row)) return std::nullopt;
    if (column->type_id() != arrow::Type::STRING && column->type_id() != arrow::Type::BINARY) {
      WrongType(name, *column);
      return std::nullopt;
    }
    // A string array is a binary array whose bytes are UTF-8.
    return std::string(static_cast<const arrow::BinaryArray&>(*column).GetView(row));
  }

  const Status& status() const { return status_; }

 private:
  std::shared_ptr<arrow::Array> Find(const char* name) {
    auto column = rows_.GetColumnByName(name);
    if (column == nullptr) status_ = Status::Invalid("there is no column ", name);
    return column;
  }
  std::nullopt_t WrongType(const char* name, const arrow::Array& column) {
    status_ = Status::Invalid("column ", name, " is ", column.type()->ToString());
    return std::nullopt;
  }

  const arrow::RecordBatch& rows_;
  Status status_;
};

QuarantinedRow ReadRow(RowReader* reader, int64_t row) {
  QuarantinedRow out;
  out.topic = reader->Bytes("kafka_topic", row).value_or("");
  out.topic_id = reader->Bytes("kafka_topic_id", row).value_or("");
  out.partition = static_cast<int32_t>(reader->Integer("kafka_partition", row).value_or(-1));
  out.offset = reader->Integer("kafka_offset", row).value_or(-1);
  out.timestamp_us = reader->Integer("kafka_timestamp", row);
  if (const auto id = reader->Integer("schema_id", row)) out.schema_id = static_cast<int32_t>(*id);
  out.cause = reader->Bytes("cause", row).value_or("");
  out.detail = reader->Bytes("detail", row).value_or("");
  out.key = reader->Bytes("key", row);
  out.value = reader->Bytes("value", row);
  out.headers = reader->Bytes("headers", row).value_or("");
  out.quarantined_at_us = reader->Integer("quarantined_at", row).value_or(0);
  return out;
}

using OnRows = std::function<void(const arrow::RecordBatch&, RowReader*)>;

Status VisitFile(lake::ObjectStore* store, const std::string& path, const DataFile& file,
                 const lake::Snapshot& snapshot, const OnRows& on_rows) {
  ARROW_ASSIGN_OR_RAISE(const auto table, lake::ReadDataFile(store, path, file, snapshot.schema()));
  arrow::TableBatchReader batches(*table);
  while (true) {
    std::shared_ptr<arrow::RecordBatch> rows;
    ARROW_RETURN_NOT_OK(batches.ReadNext(&rows));
    if (rows == nullptr) return Status::OK();
    RowReader reader(*rows);
    on_rows(*rows, &reader);
    ARROW_RETURN_NOT_OK(reader.status());
  }
}

Status VisitQuarantine(lake::ObjectStore* store, const std::string& path, const OnRows& on_rows) {
  auto table = lake::Table::Open(store, path);
  if (table.status().IsKeyError()) return Status::OK();
  ARROW_RETURN_NOT_OK(table.status());
  const auto snapshot = (*table)->snapshot();
  for (const DataFile& file : snapshot->Files()) {
    const Status status = VisitFile(store, path, file, *snapshot, on_rows);
    if (!status.ok()) {
      return status.WithMessage(path, "/", file.path, ": ", status.message());
    }
  }
  return Status::OK();
}

bool IsNewer(const QuarantinedRow& a, const QuarantinedRow& b) {
  return std::tie(a.timestamp_us, a.topic_id, a.partition, a.offset) >
         std::tie(b.timestamp_us, b.topic_id, b.partition, b.offset);
}

// Keeps the newest `limit` rows; the vector grows to twice that before it is cut.
void KeepNewest(size_t limit, std::vector<QuarantinedRow>* rows) {
  std::sort(rows->begin(), rows->end(), IsNewer);
  if (rows->size() > limit) rows->resize(limit);
}

}  // namespace

Result<QuarantineListing> ListQuarantine(lake::ObjectStore* store, const std::string& table,
                                         const std::string& cause, size_t limit) {
  QuarantineListing listing;
  ARROW_RETURN_NOT_OK(VisitQuarantine(store, table, [&](const auto& rows, RowReader* reader) {
    for (int64_t row = 0; row < rows.num_rows(); ++row) {
      const std::string row_cause = reader->Bytes("cause", row).value_or("");
      ++listing.by_cause[row_cause];
      if (!cause.empty() && row_cause != cause) continue;
      ++listing.matching;
      listing.newest.push_back(ReadRow(reader, row));
      if (listing.newest.size() >= 2 * limit + 1) KeepNewest(limit, &listing.newest);
    }
  }));
  KeepNewest(limit, &listing.newest);
  return listing;
}

Result<std::vector<QuarantinedRow>> FindQuarantined(lake::ObjectStore* store,
                                                    const std::string& table, int32_t partition,
                                                    int64_t offset) {
  std::vector<QuarantinedRow> found;
  ARROW_RETURN_NOT_OK(VisitQuarantine(store, table, [&](const auto& rows, RowReader* reader) {
    for (int64_t row = 0; row < rows.num_rows(); ++row) {
      if (reader->Integer("kafka_partition", row) == partition &&
          reader->Integer("kafka_offset", row) == offset) {
        found.push_back(ReadRow(reader, row));
      }
    }
  }));
  return found;
}

std::string HexDump(std::string_view bytes) {
  constexpr size_t kBytesPerLine = 16;
  std::string out;
  for (size_t at = 0; at < bytes.size(); at += kBytesPerLine) {
    const std::string_view line = bytes.substr(at, kBytesPerLine);
    std::string hex, text;
    for (const char c : line) {
      const auto byte = static_cast<unsigned char>(c);
      hex += fmt::format("{:02x} ", byte);
      text += byte >= 0x20 && byte < 0x7F ? c : '.';
    }
    out += fmt::format("{:08x}  {:<48} |{}|\n", at, hex, text);
  }
  return out;
}

}  // namespace shopstream::observe
