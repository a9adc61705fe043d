#include "observe/quarantine.h"

#include <arrow/scalar.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string_view>
#include <tuple>
#include <utility>

#include "lake/delta/existing_table.h"
#include "lake/parquet/file_predicate.h"
#include "tables/columns.h"

namespace shopstream::observe {
namespace {

using OnRows = std::function<Status(const tables::QuarantinedRows&)>;

Status VisitQuarantine(lake::ObjectStore* store, const std::string& path,
                       const lake::FilePredicate& wanted, const OnRows& on_rows) {
  ARROW_ASSIGN_OR_RAISE(const auto table, lake::OpenExisting(store, path));
  const auto snapshot = table->snapshot();
  for (const DataFile& file : snapshot->Files()) {
    if (!wanted.MayMatch(file)) continue;
    ARROW_RETURN_NOT_OK(tables::VisitQuarantined(store, path, file, snapshot->schema(), on_rows));
  }
  return Status::OK();
}

lake::FilePredicate Is(const char* column, std::shared_ptr<arrow::Scalar> value) {
  return lake::ColumnRange{.column = column, .least = value, .most = value};
}

bool IsNewer(const QuarantinedRow& a, const QuarantinedRow& b) {
  return std::tie(a.timestamp_us, a.topic_id, a.partition, a.offset) >
         std::tie(b.timestamp_us, b.topic_id, b.partition, b.offset);
}

// Keeps the newest `limit` rows; the vector grows to twice that before it is trimmed.
void KeepNewest(size_t limit, std::vector<QuarantinedRow>* rows) {
  std::sort(rows->begin(), rows->end(), IsNewer);
  if (rows->size() > limit) rows->resize(limit);
}

}  // namespace

Result<QuarantineListing> ListQuarantine(lake::ObjectStore* store, const std::string& table,
                                         const std::string& cause, size_t limit) {
  QuarantineListing listing;
  ARROW_RETURN_NOT_OK(VisitQuarantine(store, table, {}, [&](const tables::QuarantinedRows& rows) {
    for (int64_t row = 0; row < rows.size(); ++row) {
      ++listing.by_cause[std::string(rows.CauseAt(row))];
      if (!cause.empty() && rows.CauseAt(row) != cause) continue;
      ++listing.matching;
      listing.newest.push_back(rows.Read(row));
      if (listing.newest.size() >= 2 * limit + 1) KeepNewest(limit, &listing.newest);
    }
    return Status::OK();
  }));
  KeepNewest(limit, &listing.newest);
  return listing;
}

Result<std::vector<QuarantinedRow>> FindQuarantined(lake::ObjectStore* store,
                                                    const std::string& table, int32_t partition,
                                                    int64_t offset) {
  std::vector<QuarantinedRow> found;
  const auto wanted = lake::FilePredicate::AllOf(
      {Is(tables::kPartition, std::make_shared<arrow::Int32Scalar>(partition)),
       Is(tables::kOffset, std::make_shared<arrow::Int64Scalar>(offset))});
  ARROW_RETURN_NOT_OK(
      VisitQuarantine(store, table, wanted, [&](const tables::QuarantinedRows& rows) {
        for (int64_t row = 0; row < rows.size(); ++row) {
          const tables::CoordinateColumns& at = rows.coordinates();
          if (at.PartitionAt(row) == partition && at.OffsetAt(row) == offset) {
            found.push_back(rows.Read(row));
          }
        }
        return Status::OK();
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
