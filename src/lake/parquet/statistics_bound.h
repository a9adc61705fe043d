#pragma once

#include <arrow/scalar.h>
#include <arrow/type.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace shopstream::lake {

// How a bound of a column's values is written in add.stats (Delta protocol, "Per-file Statistics").
// If the text cannot represent the value exactly, it is on the safe side: below a minimum, above a
// maximum.

// Whether the type has an order that all readers agree on. Binary has none: readers keep no bounds
// for it. Only members of nested types have bounds.
bool HasBounds(const arrow::DataType& type);

// The bound as JSON text. Nothing if no text is true for every reader: NaN, dates and times outside
// the years 1 to 9999, text that is not UTF-8 or cannot be raised.
std::optional<std::string> BoundJson(const arrow::Scalar& value, bool is_max);

// The opposite, for statistics of any writer: a value that no value of the column is below
// (above), though perhaps further away than the text shows. Null: there is none. `json`: a
// scalar's text. Allows for texts that are cut after 32 characters or more, for times cut to
// milliseconds, and for decimals written as doubles or 64-bit integers (delta-rs).
std::shared_ptr<arrow::Scalar> ParseBoundJson(const std::string& json,
                                              const std::shared_ptr<arrow::DataType>& type,
                                              bool is_max);

// A text as quoted JSON.
std::string QuotedJson(const std::string& text);

// At most `max_chars` code points: the beginning of a minimum; the beginning of a maximum with its
// last code point raised. Nothing if the text is not UTF-8 or cannot be raised.
std::optional<std::string> LowerTextBound(std::string_view text, size_t max_chars);
std::optional<std::string> UpperTextBound(std::string_view text, size_t max_chars);

// "2025-10-24"; nothing outside the years 1 to 9999, which the text cannot represent.
std::optional<std::string> DateBound(int64_t days);

// "2025-10-24T01:02:03.004Z", rounded down or up to the millisecond; to the microsecond if rounding
// up would leave the year 9999. Nothing outside the years 1 to 9999.
std::optional<std::string> TimestampBound(int64_t micros, bool round_up);

// In plain notation, with all digits of the scale. Rounded to 15 significant digits if it has more,
// because only that many survive a reader that reads JSON numbers as doubles. Exact if rounding
// would need more digits than the type has.
std::string DecimalBound(const arrow::Decimal128& value, int32_t precision, int32_t scale,
                         bool round_up);

}  // namespace shopstream::lake
