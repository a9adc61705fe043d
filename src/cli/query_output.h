#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "base/status.h"
#include "sql/session.h"

namespace shopstream::cli {

enum class QueryFormat { kTable, kCsv, kJson, kMarkdown, kParquet };

Result<QueryFormat> ParseQueryFormat(const std::string& name);

// Limit of the formats for people, which need all rows in memory; the others have none.
inline constexpr int64_t kShownRows = 1000;

struct PrintedRows {
  int64_t rows = 0;
  bool all = true;  // False: the result has more, which were not read.
};

// Prints the rows of a result, as they come if the format allows it. Not kParquet.
Result<PrintedRows> PrintRows(sql::RowStream* stream, QueryFormat format, std::ostream& out);

// "columns" and "rows", the first members of a JSON object, without its braces.
Result<PrintedRows> PrintJsonMembers(sql::RowStream* stream, std::ostream& out);

// Writes a file that appears under its name only once it is complete.
Result<PrintedRows> PrintRowsTo(sql::RowStream* stream, QueryFormat format,
                                const std::string& file);

}  // namespace shopstream::cli
