#pragma once

#include <string>

#include "base/status.h"

namespace shopstream::sql {

// SQL and where it was read, for messages.
struct SqlText {
  std::string text;
  std::string file;    // Empty: not from a file.
  int first_line = 1;  // The line of the file on which the text begins.
};

// DuckDB's error message as our error, on one line: its "LINE 3: ..." with the marker below becomes
// the line of the file ("x.sql:14: Binder Error: ..."), and advice to change settings, which nobody
// may do here, is left out. Cancelled if the statement was interrupted; Unavailable if DuckDB could
// not use `spill_folder`, the only place where it has files, because the disk is full for example.
Status SqlError(const std::string& message, const SqlText& sql, const std::string& spill_folder);

}  // namespace shopstream::sql
