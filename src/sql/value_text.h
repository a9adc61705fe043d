#pragma once

#include <arrow/array.h>
#include <arrow/type.h>

#include <cstdint>
#include <string>

namespace shopstream::sql {

// Whether values of the type are numbers, which ValueText writes as JSON does (but for NaN and
// infinities).
bool IsNumber(const arrow::DataType& type);

// A value of a query's result for people and for CSV: "2025-10-24T08:15:30.123456Z", 10.86,
// {'a': 1}, bytes in hexadecimal digits. The value is not null; nulls within it are NULL. Numbers
// have all their digits, so that reading them gives the same value.
std::string ValueText(const arrow::Array& values, int64_t row);

// The value as JSON: null, true, a number with all its digits, a text, a list, or an object (also
// of a map with texts as keys; other maps are lists of {"key", "value"}). NaN and infinities are
// texts.
std::string ValueJson(const arrow::Array& values, int64_t row);

}  // namespace shopstream::sql
