#pragma once

#include <arrow/scalar.h>
#include <parquet/metadata.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace shopstream::lake {

// What is known of one column's values over a whole file. Bounds are null where there are none (all
// null, NaN) or where they are not known exactly.
struct ColumnFacts {
  std::vector<std::string> path;  // A column's name; below a struct, those of its members too.
  std::optional<int64_t> null_count;
  std::shared_ptr<arrow::Scalar> min;
  std::shared_ptr<arrow::Scalar> max;
};

// Of the columns whose statistics the Parquet writer noted, from the file's footer.
Result<std::vector<ColumnFacts>> FactsFromFooter(const parquet::FileMetaData& file);

// The JSON text of add.stats (Delta protocol, "Per-file Statistics"): numRecords, and minValues,
// maxValues and nullCount of the columns, from what the Parquet writer found while it encoded. A
// bound is left out where it has no sense (all null, NaN) or cannot be told (binary, boolean).
// Members of structs stand in objects of their own; what lists and maps hold has no statistics.
Result<std::string> StatisticsJson(const parquet::FileMetaData& file);

// A bound of at most `max_chars` code points: the beginning of a minimum; the beginning of a
// maximum with its last code point raised, so that it is no less than the value. Nothing where the
// text is no UTF-8 or cannot be raised.
std::optional<std::string> LowerTextBound(std::string_view text, size_t max_chars);
std::optional<std::string> UpperTextBound(std::string_view text, size_t max_chars);

// "2025-10-24T01:02:03.004Z", rounded down or up to the millisecond; nothing outside the years 1 to
// 9999, which the text cannot tell.
std::optional<std::string> TimestampBound(int64_t micros, bool round_up);

}  // namespace shopstream::lake
