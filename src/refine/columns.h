#pragma once

#include <arrow/type.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"

namespace shopstream::refine {

// The columns that refine adds. docs/refine.md describes them.
inline constexpr char kEventHour[] = "event_hour";              // Instant(), in Silver
inline constexpr char kAmountUsd[] = "amount_usd";              // decimal128(18, 2), in Silver
inline constexpr char kProductCategory[] = "product_category";  // utf8, in Silver
inline constexpr char kLate[] = "late";                         // bool, in Silver
inline constexpr char kReasons[] = "reasons";         // utf8, in rejects: names with commas between
inline constexpr char kRefinePass[] = "refine_pass";  // int64, in both
inline constexpr char kRefinedAt[] = "refined_at";    // Instant(), in both

// Columns of a purchase in Bronze that refine relies on.
inline constexpr char kEventId[] = "event_id";
inline constexpr char kRegion[] = "region";

// The columns of Silver and rejects for those of a Bronze table. Immutable.
struct RefineColumns {
  std::shared_ptr<arrow::Schema> bronze;
  // For each column of Bronze, its name in Silver and in rejects: its own, or with "bronze_" before
  // it if refine has a column of that name. The same whatever columns are added later.
  std::vector<std::string> names;
  // Partition columns last: region and date of Silver, date of rejects.
  std::shared_ptr<arrow::Schema> silver, rejects;

  // Invalid: Bronze does not have the columns of a purchase, or not Silver's partition columns.
  // `path`: Bronze's, for messages.
  static Result<RefineColumns> Of(const std::string& path, const lake::Snapshot& bronze);
  // The same for columns that are known to fit.
  static RefineColumns From(std::shared_ptr<arrow::Schema> bronze);
};

// Bronze's columns for schemas/purchase_event.avsc, for use without a lake.
std::shared_ptr<arrow::Schema> PurchaseBronzeSchema();

lake::TableSpec SilverSpec(const std::string& path, const RefineColumns& columns);
lake::TableSpec RejectsSpec(const std::string& path, const RefineColumns& columns);

}  // namespace shopstream::refine
