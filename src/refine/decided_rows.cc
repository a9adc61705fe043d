#include "refine/decided_rows.h"

#include <algorithm>
#include <utility>

#include "refine/dates.h"
#include "refine/pass_plan.h"
#include "tables/coordinates.h"

namespace shopstream::refine {
namespace {

// Reads the coordinates beside the columns that are asked for.
class DecidedScan : public sql::RowScan {
 public:
  DecidedScan(std::unique_ptr<sql::RowScan> rows, const PassFilter* filter, int columns)
      : rows_(std::move(rows)), filter_(filter), columns_(columns) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Next(int thread) override {
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const auto batch, rows_->Next(thread));
      if (batch == nullptr) return nullptr;
      ARROW_ASSIGN_OR_RAISE(const auto decided, DecidedOf(batch));
      if (decided->num_rows() > 0) return decided;
    }
  }

 private:
  Result<std::shared_ptr<arrow::RecordBatch>> DecidedOf(
      const std::shared_ptr<arrow::RecordBatch>& batch) const {
    ARROW_ASSIGN_OR_RAISE(
        const std::vector<int32_t> positions,
        tables::FindRows(*batch, [&](const auto& at) { return at && filter_->Takes(*at); }));
    std::vector<int> asked(static_cast<size_t>(columns_));
    for (int i = 0; i < columns_; ++i) asked[static_cast<size_t>(i)] = i;
    ARROW_ASSIGN_OR_RAISE(const auto columns, batch->SelectColumns(asked));
    if (std::ssize(positions) == batch->num_rows()) return columns;
    if (columns_ > 0) return RowsAt(columns, positions);
    return arrow::RecordBatch::Make(columns->schema(), std::ssize(positions), arrow::ArrayVector());
  }

  const std::unique_ptr<sql::RowScan> rows_;
  const PassFilter* const filter_;
  const int columns_;
};

}  // namespace

Result<std::unique_ptr<DecidedRows>> DecidedRows::Open(lake::ObjectStore* store,
                                                       const std::string& path,
                                                       std::shared_ptr<const lake::Snapshot> bronze,
                                                       const tables::RefineStanding& refined) {
  ARROW_ASSIGN_OR_RAISE(auto filter, PassFilter::Of(PlanOfDecided(refined), *bronze));
  return std::unique_ptr<DecidedRows>(
      new DecidedRows(store, path, std::move(bronze), std::move(filter)));
}

Result<std::unique_ptr<sql::RowScan>> DecidedRows::Open(const std::vector<int>& columns,
                                                        int threads) {
  std::vector<int> with_coordinates = columns;
  for (const std::string& name : tables::CoordinateColumns::Names()) {
    const int index = schema()->GetFieldIndex(name);
    if (std::ranges::find(with_coordinates, index) == with_coordinates.end()) {
      with_coordinates.push_back(index);
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto rows, rows_.Open(with_coordinates, threads));
  return std::make_unique<DecidedScan>(std::move(rows), &filter_, static_cast<int>(columns.size()));
}

}  // namespace shopstream::refine
