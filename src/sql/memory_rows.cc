#include "sql/memory_rows.h"

#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api_vector.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <utility>

namespace shopstream::sql {
namespace {

// Rows that a thread takes together: enough that taking them costs little, few enough that threads
// share a pass and that copies of chosen rows stay small.
constexpr int64_t kPartRows = 16'384;

// Whether columns may be null does not matter: SQL takes every column to be so.
bool HasColumnsOf(const arrow::Schema& rows, const arrow::Schema& table) {
  return std::equal(rows.fields().begin(), rows.fields().end(), table.fields().begin(),
                    table.fields().end(), [](const auto& a, const auto& b) {
                      return a->name() == b->name() && a->type()->Equals(*b->type());
                    });
}

class MemoryScan : public RowScan {
 public:
  MemoryScan(std::shared_ptr<arrow::RecordBatch> rows, std::shared_ptr<arrow::Array> positions)
      : rows_(std::move(rows)), positions_(std::move(positions)) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Next(int /*thread*/) override {
    const int64_t all = positions_ == nullptr ? rows_->num_rows() : positions_->length();
    const int64_t first = next_.fetch_add(kPartRows);
    if (first >= all) return nullptr;
    const int64_t count = std::min(kPartRows, all - first);
    if (positions_ == nullptr) return rows_->Slice(first, count);
    const auto chosen = positions_->Slice(first, count);
    arrow::ArrayVector columns;
    for (const auto& column : rows_->columns()) {
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), arrow::compute::Take(*column, *chosen));
    }
    return arrow::RecordBatch::Make(rows_->schema(), count, std::move(columns));
  }

 private:
  const std::shared_ptr<arrow::RecordBatch> rows_;  // Only the columns of the scan.
  const std::shared_ptr<arrow::Array> positions_;
  std::atomic<int64_t> next_{0};
};

}  // namespace

MemoryRows::MemoryRows(std::shared_ptr<arrow::Schema> schema, int64_t expected_rows)
    : schema_(std::move(schema)), expected_rows_(expected_rows) {
  arrow::ArrayVector columns;
  for (const auto& field : schema_->fields()) {
    columns.push_back(arrow::MakeArrayOfNull(field->type(), 0).ValueOrDie());
  }
  rows_ = arrow::RecordBatch::Make(schema_, 0, std::move(columns));
}

Status MemoryRows::Set(std::shared_ptr<arrow::RecordBatch> rows,
                       std::optional<std::vector<int32_t>> positions) {
  if (!HasColumnsOf(*rows->schema(), *schema_)) {
    return Status::Invalid("the rows have the columns ", rows->schema()->ToString(),
                           " and the table ", schema_->ToString(), ": this is a bug");
  }
  positions_ = nullptr;
  if (positions) {
    arrow::Int32Builder builder;
    ARROW_RETURN_NOT_OK(builder.AppendValues(*positions));
    ARROW_ASSIGN_OR_RAISE(positions_, builder.Finish());
  }
  rows_ = std::move(rows);
  return Status::OK();
}

// DuckDB asks for the number of threads before it knows the rows of a prepared statement.
int MemoryRows::MaxThreads() const { return std::numeric_limits<int>::max(); }

Result<std::unique_ptr<RowScan>> MemoryRows::Open(const std::vector<int>& columns,
                                                  int /*threads*/) {
  ARROW_ASSIGN_OR_RAISE(auto chosen, rows_->SelectColumns(columns));
  return std::make_unique<MemoryScan>(std::move(chosen), positions_);
}

}  // namespace shopstream::sql
