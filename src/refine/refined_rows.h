#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "refine/dates.h"
#include "refine/pass_filter.h"
#include "refine/row_collector.h"
#include "tables/coordinates.h"
#include "tables/refine_state.h"

namespace shopstream::refine {

// The rows of one version of Bronze that passes have decided, date by date.
class RefinedRows {
 public:
  // At most this much of them in memory at a time, and at least one batch of a file.
  struct Limits {
    int64_t rows = 500'000;
    int64_t bytes = 128LL << 20;
  };
  using Wants = std::function<bool(const tables::Coordinates& at)>;
  using OnRows = std::function<Status(const PassRows& rows)>;

  // `standing`: what the passes have decided. The store is borrowed.
  static Result<RefinedRows> Of(lake::ObjectStore* store, const std::string& path,
                                std::shared_ptr<const lake::Snapshot> bronze,
                                const tables::RefineStanding& standing);

  // The rows of the date that are wanted, in pieces, in the order of files. Gone: a file was
  // compacted and deleted meanwhile; refresh and repeat.
  Status Visit(Date date, const Wants& wants, const Limits& limits, const OnRows& on_rows) const;

 private:
  RefinedRows() = default;
  Status VisitFile(const DataFile& file, const Wants& wants, const Limits& limits,
                   const OnRows& on_rows, RowCollector* collector) const;

  lake::ObjectStore* store_ = nullptr;
  std::string path_;
  std::shared_ptr<const lake::Snapshot> bronze_;
  std::shared_ptr<arrow::Schema> stored_;  // The columns that files have.
  std::map<Date, std::vector<DataFile>> files_;
  PassFilter filter_;
};

}  // namespace shopstream::refine
