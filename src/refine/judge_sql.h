#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "refine/columns.h"
#include "refine/dialect.h"
#include "refine/rules.h"
#include "sql/sql_text.h"

// The statements that judge rows, put together from Silver's SQL and the rules. Pure text.
namespace shopstream::refine {

// A column of Bronze.
struct BronzeColumn {
  std::string name;
  std::string silver_name;  // In Silver and rejects.
  std::string sql_name;     // In silver.sql and rules, whose own names come first.
};
std::vector<BronzeColumn> BronzeColumns(const RefineColumns& columns);

struct JudgeText {
  sql::SqlText silver;
  const Rules* rules = nullptr;  // Borrowed.
  int64_t late_after_seconds = 3600;
  std::vector<BronzeColumn> columns;
};

// What Silver adds to Bronze's columns.
const std::vector<std::string>& ComputedColumns();

// What rules may use beside Bronze's columns and those of Silver: the amount before the cast.
inline constexpr const char* kRawAmount = "raw_amount";
// The amount after it.
inline constexpr const char* kExactAmount = "exact_amount";
// The number of a row in the batch that is judged: in the table bronze_events, where no column of a
// Delta table can have this name, and in the statements.
inline constexpr const char* kRowNumber = "row number";
inline constexpr const char* kBronzeRow = "bronze_row";

// Silver's SQL alone, over a table bronze_events with the columns and kRowNumber.
sql::SqlText ComputeSql(const JudgeText& text);

// The condition of a rule, true or null if a row fulfils it, for a row of the table `ruled`.
// `number`: that of the rule, by which a reference finds its join.
std::string ConditionSql(const Rule& rule, size_t number, Dialect dialect);

// A statement that only the condition of one rule can make fail: over `bronze_events`, one column
// with the condition's value for each row.
sql::SqlText RuleSql(const JudgeText& text, size_t number);

// For each row of bronze_events, which has the column kRowNumber: that number as kBronzeRow,
// reasons, warnings and the computed columns, in any order of rows.
sql::SqlText PassSql(const JudgeText& text);

// The same from all rows of bronze_events with coordinates, duplicates among them included: the
// earliest copy stays. `what`: the columns of Silver or of the rejects without those of the pass;
// or, of each row, all of these and warnings; or the same as if no row had copies.
enum class BatchRows { kSilver, kRejects, kAll, kAlone };
std::string SilverBatchSql(const JudgeText& text, BatchRows what, Dialect dialect);

}  // namespace shopstream::refine
