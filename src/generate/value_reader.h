#pragma once

#include <arrow/type.h>

#include <string>
#include <vector>

#include "base/status.h"
#include "generate/field_rule.h"
#include "generate/source_rows.h"

// Columns of a file -> columns of events, null where a value is missing. Invalid names the file,
// the row, the column, the value and the event's field.
namespace shopstream::generate {

// Whether each row is kept: a row that an earlier field left out causes no error, and gets null.
using RowMask = std::vector<bool>;

// A whole number or a double.
Result<ArrayPtr> ReadNumbers(SourceRows* rows, const ColumnRef& ref, const arrow::Field& field,
                             const RowMask& keep);

// Milliseconds in UTC from a timestamp (UTC if nothing names its zone), a date, a text, or, with an
// epoch, a number.
Result<ArrayPtr> ReadTimes(SourceRows* rows, const ColumnRef& ref, const TimeRule& rule,
                           const arrow::Field& field, const RowMask& keep);

// The product of the columns, times the rate. If there is a rate, each event's `currency` decides
// how its amount is rounded; otherwise amounts are rounded to 2 places. `by`: the values that
// select the rate's factors; null if not needed.
Result<ArrayPtr> ReadAmounts(SourceRows* rows, const std::vector<ColumnRef>& factors,
                             const Rate* rate, const arrow::StringArray* by,
                             const arrow::StringArray* currency, const arrow::Field& field,
                             const RowMask& keep);

// The first 4 bytes of each text's SHA-1, as a big-endian number without its highest bit.
Result<ArrayPtr> HashTexts(const arrow::StringArray& texts);

}  // namespace shopstream::generate
