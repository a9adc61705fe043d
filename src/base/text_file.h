#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/file_format.h"
#include "base/status.h"

namespace shopstream {

inline constexpr const char* kUnclosedQuote =
    "a quote is never closed, or not within 1 MiB; if quotes have no special meaning in this file, "
    "set csv: {quote: \"\"}";

// Fills in what the format leaves open, and reads the header. The delimiter is the first one that
// gives all needed columns, or else the one that gives the most columns.
struct TextHeader {
  FileFormat format;  // With a delimiter and an encoding.
  std::vector<std::string> columns;
};
Result<TextHeader> ReadTextHeader(const std::string& path, const FileFormat& format,
                                  const std::vector<std::string>& needed);

// A line with another number of values than the header.
struct UnevenLine {
  int64_t row = 0;  // As if every line were a row.
  int32_t values = 0;
  int32_t expected = 0;
};

// Lines that were left out, in order, for whoever numbers the rows; and the one that was not
// accepted. Filled while the reader reads.
struct UnevenLines {
  std::vector<UnevenLine> skipped;
  std::vector<UnevenLine> refused;  // At most one.
};

// These columns as binary, null where the text is among the format's nulls.
Result<std::shared_ptr<arrow::RecordBatchReader>> ReadTextRows(
    const std::string& path, const FileFormat& format, const std::vector<std::string>& columns,
    std::shared_ptr<UnevenLines> uneven);

}  // namespace shopstream
