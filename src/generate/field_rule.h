#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time_zone.h"
#include "generate/decimal.h"
#include "generate/time_pattern.h"
#include "generate/uuid.h"

namespace shopstream::generate {

// A column of the main file (join < 0) or of a joined one.
struct ColumnRef {
  int join = -1;  // Index into SourceMapping::joins.
  std::string column;
  auto operator<=>(const ColumnRef&) const = default;
};

// "literal {column} literal ...": literals.size() == columns.size() + 1.
struct Template {
  std::vector<std::string> literals;
  std::vector<ColumnRef> columns;
};

// What an amount is multiplied by: one factor, or one for each value of a field or column.
struct Rate {
  std::string field;  // Of the event.
  std::optional<ColumnRef> column;
  std::map<std::string, Decimal, std::less<>> factors;
  std::optional<Decimal> factor;  // If there is neither field nor column.
};

// Units of a number that is a time; `per_second` of them are a second.
struct Epoch {
  const char* name;
  int64_t per_second;
};

// How to read a column as a time.
struct TimeRule {
  std::optional<TimePattern> pattern;  // None: ISO 8601.
  TimeZone zone;                       // Of times that name none.
  std::optional<Epoch> epoch;          // The column is a number of these since 1970.
};

enum class RuleKind { kColumn, kValue, kLookUp, kText, kUuid5, kProduct };

struct FieldRule {
  RuleKind kind = RuleKind::kValue;
  std::optional<ColumnRef> column;            // kColumn; kLookUp by a column.
  std::string field;                          // kLookUp by a field.
  std::string value;                          // kValue
  std::map<std::string, std::string> values;  // kLookUp
  std::optional<std::string> otherwise;       // kLookUp
  int64_t modulo = 0;                         // kLookUp; 0: none
  std::vector<Template> texts;                // kText, kUuid5 (one)
  bool title_case = false;                    // kText
  Uuid name_space;                            // kUuid5
  std::vector<ColumnRef> factors;             // kProduct
  bool hash = false;                          // kColumn, kText: a whole number from the text.
  std::optional<Rate> rate;                   // kColumn, kProduct
  TimeRule time;                              // kColumn
  // If there is no value: use this one, or leave out the row. Neither: an error.
  std::optional<std::string> default_value;
  bool skip_missing = false;
};

}  // namespace shopstream::generate
