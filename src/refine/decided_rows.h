#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/parquet/file_predicate.h"
#include "lake/store/object_store.h"
#include "refine/pass_filter.h"
#include "sql/lake_rows.h"
#include "sql/row_source.h"
#include "tables/refine_state.h"

namespace shopstream::refine {

// The rows of Bronze that passes have decided, by their coordinates: wherever compaction has moved
// them, and without those that ingest or a replay added since.
class DecidedRows : public sql::RowSource {
 public:
  // `refined`: Silver's. `bronze` is not older. Invalid: Bronze's record of replays is damaged.
  static Result<std::unique_ptr<DecidedRows>> Open(lake::ObjectStore* store,
                                                   const std::string& path,
                                                   std::shared_ptr<const lake::Snapshot> bronze,
                                                   const tables::RefineStanding& refined);

  const std::shared_ptr<arrow::Schema>& schema() const override { return rows_.schema(); }
  std::optional<int64_t> row_count() const override { return rows_.row_count(); }
  int MaxThreads() const override { return rows_.MaxThreads(); }
  Result<std::unique_ptr<sql::RowScan>> Open(const std::vector<int>& columns, int threads) override;

  // As of LakeRows.
  void Narrow(lake::FilePredicate condition) { rows_.Narrow(std::move(condition)); }

 private:
  DecidedRows(lake::ObjectStore* store, const std::string& path,
              std::shared_ptr<const lake::Snapshot> bronze, PassFilter filter)
      : rows_(store, path, std::move(bronze)), filter_(std::move(filter)) {}

  sql::LakeRows rows_;
  const PassFilter filter_;
};

}  // namespace shopstream::refine
