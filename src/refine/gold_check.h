#pragma once

#include <arrow/type_fwd.h>

#include <string>

#include "base/status.h"
#include "refine/gold_file.h"

// Whether the SQL of a Gold file keeps to its declarations, so that rows which come in any number
// of passes give the same table as all of them together. Pure: `parsed` is what
// sql::Session::Parse makes of the text. Errors name file and line.
namespace shopstream::refine {

// It is one SELECT over silver_events, silver_rejects or a UNION ALL of both, GROUP BY the key, and
// each column is what it is declared to be.
Status CheckAggregate(const GoldFile& file, const std::string& parsed);

// It is one SELECT of the declared columns from `aggregated`, one row for each of its rows; what is
// not derived passes unchanged, and windows do not cross dates.
Status CheckDerive(const GoldFile& file, const std::string& parsed);

// The columns of the aggregate part, the same without casts around them, and those of the table
// have types that can be stored and, if they add up, that any number of sums gives exactly.
Status CheckGoldTypes(const GoldFile& file, const arrow::Schema& aggregate,
                      const arrow::Schema& without_casts, const arrow::Schema& table);

// The checked aggregate, parsed, with changes. As lists: each distinct column is the list of its
// values. As values: each row's key and values, ungrouped. Without casts: columns to add have the
// types in which they are computed.
std::string AsLists(const GoldFile& file, const std::string& parsed);
std::string AsValues(const GoldFile& file, const std::string& parsed);
std::string WithoutCasts(const GoldFile& file, const std::string& parsed);

}  // namespace shopstream::refine
