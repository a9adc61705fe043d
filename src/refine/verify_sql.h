#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "refine/fingerprint_uses.h"
#include "refine/gold_file.h"
#include "refine/judge_sql.h"
#include "sql/sql_text.h"

// The statements that compare tables with what the batch SQL makes of Bronze, for an engine in
// which bronze_events (only rows that passes have decided), silver_events, silver_rejects, the
// look-up tables and each Gold table have the rows of some dates. Pure.
namespace shopstream::refine {

// Differences, one a row, in the order of their keys:
//   kind     text: missing, extra, twice, other_verdict, other_value
//   table    text: bronze, silver, rejects, or the name of the Gold file
//   columns  text: the names of those that differ, with kBetweenNames between
//   expected, found   text for people; "": no row
//   the key's columns, as text
inline constexpr char kBetweenNames = '\x1f';

// Statements that create the table `verdicts`: each row of Bronze and what became of it, with
// hashes of its values, because whole rows of all dates would not fit in memory. `uses`: which
// rules decided it, by its pass.
std::vector<std::string> CreateVerdicts(const JudgeText& text,
                                        const std::vector<FingerprintUse>& uses);
// Then the table `differing`: the values of the rows whose hashes differ.
std::string CreateDiffering(const JudgeText& text);

// The differences of Silver and rejects. Verdicts and values are compared only for rows decided by
// `fingerprint`. Of copies of a purchase any one may be in Silver, but exactly one.
sql::SqlText RowDifferences(const std::vector<FingerprintUse>& uses,
                            const std::string& fingerprint);

// Rows decided by others than `fingerprint`: number of the use (index into `uses`; -1: before all
// of them), rows, first date, last date.
sql::SqlText RowsOfOtherRules(const std::vector<FingerprintUse>& uses,
                              const std::string& fingerprint);

// The differences of a Gold table, which is called `table` and has these columns.
sql::SqlText GoldDifferences(const GoldFile& file, const arrow::Schema& columns,
                             const std::string& table);

}  // namespace shopstream::refine
