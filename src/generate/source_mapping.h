#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/file_format.h"
#include "base/status.h"
#include "generate/field_rule.h"

namespace shopstream::generate {

// How the rows of a file become purchases, written in YAML. docs/replay.md explains every key:
//
// clang-format off
//   file: path, relative to the mapping; .parquet, or .csv, .tsv or .txt (with a line of names)
//   csv: {delimiter: ";", encoding: latin-1, quote: '"', decimal: ",", short_lines: skip, long_lines: skip}
//   nulls: ["", "n/a"]
//   joins:                            other files, by a key
//     products: {file: path, key: column of that file, on: column; csv and nulls as above}
//   where:                            only rows that meet all of these
//     - {column: c, is: [a, b]}       or is_not, like, not_like, above, at_least, below, at_most
//   event:                            each field of the purchase, by one of these rules
//     f: {column: c}                                  the column's value
//     f: {value: v}                                   a constant
//     f: {column: c, values: {a: x, b: y}, otherwise: z}    a look-up, by the column's text;
//                                       `modulo: n` looks up the remainder of an integer column
//     f: {field: g, values: {...}}                    the same by another field of the event
//     f: {text: "{c} {products.d}", case: title}      text with values inserted; in a list, the
//                                                     first without missing values
//     f: {uuid5: "{c}/{d}", namespace: UUID}          a name-based UUID of such a text
//     f: {product: [c, d]}                            the columns multiplied
// clang-format on
//
// A column is one of the main file, c, or of the joined row, products.d. A null or empty value,
// NaN, or a missing row, counts as missing.

struct Join {
  std::string name;
  std::string file;  // Resolved.
  FileFormat format;
  std::string key;
  ColumnRef on;  // Of the main file, or of an earlier join.
};

// A row must meet it. A missing value is an empty text, and meets no bound.
struct Condition {
  enum class Test { kIs, kIsNot, kLike, kNotLike, kAbove, kAtLeast, kBelow, kAtMost };
  ColumnRef column;
  Test test = Test::kIs;
  std::vector<std::string> values;  // kIs, kIsNot; patterns of kLike, kNotLike.
  Decimal bound;                    // The others.
};

struct SourceMapping {
  std::string path;  // Path of the mapping itself, for messages.
  std::string file;  // Resolved.
  FileFormat format;
  std::vector<Join> joins;
  std::vector<Condition> where;
  std::map<std::string, FieldRule> fields;  // One per field of the purchase.

  // As the mapping writes it, for messages.
  std::string NameOf(const ColumnRef& ref) const;
};

// Invalid names file, line, fault and, for a name, the nearest one; IOError: no such file. The
// mapping's files are in `folder`, if it is not empty.
Result<SourceMapping> LoadSourceMapping(const std::string& path, const std::string& folder = "");
// The same for a text; files are relative to `path`.
Result<SourceMapping> ParseSourceMapping(const std::string& yaml, const std::string& path,
                                         const std::string& folder = "");

// The columns that the mapping needs from its main file (join < 0) or from a joined one. Sorted by
// name, without duplicates.
std::vector<std::string> ColumnsOf(const SourceMapping& mapping, int join);
// The main file's columns that decide which rows there are, and their time.
std::vector<std::string> TimeColumnsOf(const SourceMapping& mapping);

}  // namespace shopstream::generate
