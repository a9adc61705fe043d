#pragma once
// Which Arrow column each Avro type becomes, and with it which Delta type; within Delta's protocol
// (1,2). docs/avro.md explains the table to users.
//
//   Avro                                     Arrow                  Delta
//   boolean                                  bool                   boolean
//   int, long                                int64                  long
//   float, double                            float64                double
//   string, uuid (string or fixed), enum     utf8                   string
//   bytes, big-decimal, fixed                binary                 binary
//   decimal(p, s), p <= 38                   decimal128(p, s)       decimal(p,s)
//   decimal(p, s), p > 38                    utf8, "-12.50"         string; see ColumnOptions
//   date                                     date32                 date
//   timestamp-millis, -micros, -nanos        timestamp[us, UTC]     timestamp
//   local-timestamp-*, time-*                int64, in their unit   long
//   duration                                 utf8, "P1M2DT3.004S"   string
//   record                                   struct                 struct
//   array                                    list                   array
//   map                                      map<utf8, ...>         map<string, ...>
//   null                                     utf8, always null      string
//   [T], [null, T]                           that of T              that of T
//   other unions                             struct of members      struct
//
// int and float are widened, so that a promotion never needs a new table. Every column, member,
// item and value may be null. A record without fields has one member, kEmptyRecordMember, always
// null, because Parquet has no struct without members.

#include <arrow/type.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "avro/node.h"
#include "avro/schema.h"
#include "base/status.h"

namespace shopstream::avro {

// Bounds on a schema's columns. Nested references to named types could multiply without limit.
inline constexpr int kMaxColumns = 16'384;
inline constexpr int kMaxColumnDepth = 64;  // Types nested in one field; readers' code recurses.
// For decimals that become text: formatting is quadratic in the number of digits.
inline constexpr int32_t kMaxDecimalDigits = 1'000;
inline constexpr int32_t kMaxDecimal128Digits = 38;

inline constexpr char kEmptyRecordMember[] = "_empty";

// The column of a decimal of more than 38 digits.
enum class WideDecimal {
  kText,     // Every digit.
  kDouble,   // The nearest double.
  kDecimal,  // decimal128(38, s): only values of at most 38 digits.
};

struct ColumnOptions {
  // By path: names of columns with dots between them, items of lists and maps without an index.
  std::map<std::string, WideDecimal> wide = {};
  WideDecimal other = WideDecimal::kText;  // All other paths.
};

// The columns of a record. NotImplemented names the field without a column: a recursive type, types
// nested too deeply, too many columns, or a decimal with too many digits.
Result<std::shared_ptr<arrow::Schema>> ToArrowSchema(const Schema& reader,
                                                     const ColumnOptions& options = {});

// The paths of the decimals of more than 38 digits. Errors as above.
Result<std::vector<std::string>> WideDecimalPaths(const Schema& reader);

// The paths of all types in the columns, as in ColumnOptions. Errors as above.
Result<std::vector<std::string>> TypePaths(const Schema& reader);

// A union as its branches other than null. One branch: the union has that type. Several: it is a
// struct with a member for each branch, one of which has the value.
struct UnionShape {
  std::vector<const Node*> values;
  bool has_null = false;

  static UnionShape Of(const Node& type);
  // True for more than one branch; the only value of a type that is not a union is itself.
  bool is_struct() const { return values.size() > 1; }
};

// The names of a union's members, in the order of UnionShape::values: a record, enum or fixed
// without its namespace, otherwise the logical type with _ for -, otherwise the primitive. int is
// "long" and float "double", so that promotion keeps the member, unless the union has both. If two
// names differ at most in case, named types use the full name with _ for dots; names that are still
// equal are numbered.
std::vector<std::string> UnionMembers(const UnionShape& shape);

}  // namespace shopstream::avro
