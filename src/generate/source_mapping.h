#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "generate/uuid.h"

namespace shopstream::generate {

// How the rows of a file become purchases, written in YAML:
//
//   file: path, relative to the mapping; .parquet or .csv (with a line of column names)
//   joins:                            other files, by a key
//     products: {file: path, key: column of that file, on: column of the main file}
//   event:                            each field of the purchase, by one of these rules
//     f: {column: c}                                  the column's value
//     f: {value: v}                                   a constant
//     f: {column: c, values: {a: x, b: y}, otherwise: z}    a look-up, by the column's text;
//                                       `modulo: n` looks up the remainder of an integer column
//     f: {field: g, values: {...}}                    the same by another field of the event
//     f: {text: "{c} {products.d}", case: title}      text with values inserted; in a list, the
//                                                     first without missing values
//     f: {uuid5: "{c}/{d}", namespace: UUID}          a name-based UUID of such a text
//
// In a text, {c} is a column of the main file and {products.d} one of the joined row; a null or
// empty value, or a missing row, counts as missing.

// A column of the main file (join < 0) or of a joined one.
struct ColumnRef {
  int join = -1;  // Index into SourceMapping::joins.
  std::string column;
  bool operator==(const ColumnRef&) const = default;
};

// "literal {column} literal ...": literals.size() == columns.size() + 1.
struct Template {
  std::vector<std::string> literals;
  std::vector<ColumnRef> columns;
};

enum class RuleKind { kColumn, kValue, kLookUp, kText, kUuid5 };

struct FieldRule {
  RuleKind kind = RuleKind::kValue;
  std::string column;                         // kColumn; kLookUp by a column.
  std::string field;                          // kLookUp by a field.
  std::string value;                          // kValue
  std::map<std::string, std::string> values;  // kLookUp
  std::optional<std::string> otherwise;       // kLookUp
  int64_t modulo = 0;                         // kLookUp; 0: none
  std::vector<Template> texts;                // kText, kUuid5 (one)
  bool title_case = false;                    // kText
  Uuid name_space;                            // kUuid5
};

struct Join {
  std::string name;
  std::string file;  // Resolved.
  std::string key;
  std::string on;
};

struct SourceMapping {
  std::string path;  // Path of the mapping itself, for messages.
  std::string file;  // Resolved.
  std::vector<Join> joins;
  std::map<std::string, FieldRule> fields;  // One per field of the purchase.
};

// Invalid names file, line, fault and, for a name, the nearest one; IOError: no such file.
Result<SourceMapping> LoadSourceMapping(const std::string& path);
// The same for a text; files are relative to `path`.
Result<SourceMapping> ParseSourceMapping(const std::string& yaml, const std::string& path);

// The columns that the mapping needs from its main file (join < 0) or from a joined one. Sorted by
// name, without duplicates.
std::vector<std::string> ColumnsOf(const SourceMapping& mapping, int join);

}  // namespace shopstream::generate
