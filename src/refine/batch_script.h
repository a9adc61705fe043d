#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "refine/dialect.h"
#include "refine/gold_file.h"
#include "refine/judge_sql.h"
#include "refine/rule_book.h"

namespace shopstream::refine {

// A table of the batch SQL, and the SELECT that computes it from those before it.
struct BatchTable {
  std::string name;
  std::string select;
};

// Silver, the rejects, and the tables of the Gold files.
std::vector<BatchTable> BatchTables(const JudgeText& text, const std::vector<GoldFile>& gold,
                                    Dialect dialect);

// Statements, each ended by ";" and a line break, for a session of the engine in which
// bronze_events is a table: settings, look-up tables, and each of `tables` as a view. Comments name
// the rules and the fingerprint.
std::string BatchScript(const RuleBook& book, const std::vector<BatchTable>& tables,
                        Dialect dialect);

}  // namespace shopstream::refine
