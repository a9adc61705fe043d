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
//   decimal(p, s), p > 38                    utf8, "-12.50"         string
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
// item and value may be null. A record without fields has one member, kEmptyRecordMember, that is
// always null, since Parquet has no struct without members.

#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "avro/node.h"
#include "avro/schema.h"
#include "base/status.h"

namespace shopstream::avro {

// Bounds on what a schema becomes. Names that refer to names could make it grow without end.
inline constexpr int kMaxColumns = 16'384;
// Of a decimal that becomes text: to print one takes time by the square of its digits.
inline constexpr int32_t kMaxDecimalDigits = 1'000;
inline constexpr int32_t kMaxDecimal128Digits = 38;

inline constexpr char kEmptyRecordMember[] = "_empty";

// The columns of a record. NotImplemented names the field that has none: a recursive type, too many
// columns, a decimal of too many digits.
Result<std::shared_ptr<arrow::Schema>> ToArrowSchema(const Schema& reader);

// A union seen as its branches other than null. With one of them it is that type; with more, a
// struct that has a member for each, one of which holds the value.
struct UnionShape {
  std::vector<const Node*> values;
  bool has_null = false;

  static UnionShape Of(const Node& type);
  // More than one; a type that is no union is its own only value.
  bool is_struct() const { return values.size() > 1; }
};

// The names of a union's members, in the order of UnionShape::values: that of the record, enum or
// fixed without its namespace, else the logical type's with _ for -, else that of the primitive;
// int is "long" and float "double", so that promotion keeps the member, unless the union has both.
// Where two are equal but for case, named types take the full name with _ for dots; what is equal
// still is numbered.
std::vector<std::string> UnionMembers(const UnionShape& shape);

}  // namespace shopstream::avro
