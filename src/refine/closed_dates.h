#pragma once

#include <arrow/array/array_binary.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "base/status.h"
#include "lake/delta/table.h"
#include "refine/dates.h"

namespace shopstream::refine {

// The dates below Silver's horizon, whose rows Silver no longer has. Nothing can be computed from
// them again: what Gold has of these dates stays as it is, and a row of such a date that arrives
// later is rejected. Rows without a date belong to no closed date.
class ClosedDates {
 public:
  // Invalid: the property is damaged.
  static Result<ClosedDates> Of(const lake::Snapshot& silver);

  // The dates before this one, days since 1970; nothing: none.
  static ClosedDates Before(std::optional<int32_t> horizon) { return ClosedDates(horizon); }

  bool Contains(Date date) const { return date && horizon_ && *date < *horizon_; }
  // The first date that is open, days since 1970; nothing: no date is closed.
  const std::optional<int32_t>& horizon() const { return horizon_; }

  // The reasons of a pass's rows, kClosedDate for those of closed dates, whatever else is wrong
  // with them. `rows` has the column date.
  Result<std::shared_ptr<arrow::StringArray>> Reject(
      const arrow::RecordBatch& rows, const std::shared_ptr<arrow::StringArray>& reasons) const;
  // The rows of open dates.
  Result<std::shared_ptr<arrow::RecordBatch>> OpenRows(
      const std::shared_ptr<arrow::RecordBatch>& rows) const;

 private:
  explicit ClosedDates(std::optional<int32_t> horizon) : horizon_(horizon) {}

  std::optional<int32_t> horizon_;
};

}  // namespace shopstream::refine
