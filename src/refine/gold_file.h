#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "sql/sql_text.h"

namespace shopstream::refine {

// How a column's values for two sets of purchases give its value for both together.
enum class GoldKind {
  kKey,       // It is part of the key.
  kAdd,       // Their sum.
  kMin,       // The smaller one.
  kMax,       // The greater one.
  kDistinct,  // Counted by the values that neither set shares; see DistinctCounts.
  kDerived,   // Computed anew from the other columns of the same date.
};

struct GoldColumn {
  std::string name;
  GoldKind kind = GoldKind::kKey;
  std::string counted = {};  // With kDistinct: the column whose values are counted.
  int line = 0;              // Where it is declared.
};

// The SQL of a Gold table. docs/sql.md describes the form of its file.
struct GoldFile {
  std::string name;                 // "revenue_hourly"
  std::vector<GoldColumn> columns;  // Keys first, each kind in the order of declaration.
  sql::SqlText aggregate;           // One row per key, from silver_events and silver_rejects.
  sql::SqlText derive;              // From `aggregated`, its rows. Empty: the rows as they are.
  std::string hash;                 // Of the whole text: another one makes another table.

  std::vector<std::string> Keys() const;
  // Null: it declares no such column.
  const GoldColumn* Find(const std::string& column) const;
  bool HasDerive() const { return !derive.text.empty(); }
};

// "FILE:LINE: what"; line 0: the file as a whole.
Status GoldError(const std::string& file, int line, const std::string& what);

// Checks the declarations; CheckGold checks that the SQL keeps to them. Errors name file and line.
Result<GoldFile> ParseGold(const std::string& name, const sql::SqlText& text);

}  // namespace shopstream::refine
