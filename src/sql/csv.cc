#include "sql/csv.h"

#include "sql/value_text.h"

namespace shopstream::sql {
namespace {

std::string CsvField(const std::string& text) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

std::string CsvHeader(const arrow::Schema& schema) {
  std::string line;
  for (int i = 0; i < schema.num_fields(); ++i) {
    line += (i == 0 ? "" : ",") + CsvField(schema.field(i)->name());
  }
  return line + "\n";
}

std::string CsvLines(const arrow::RecordBatch& rows) {
  std::string lines;
  for (int64_t row = 0; row < rows.num_rows(); ++row) {
    for (int i = 0; i < rows.num_columns(); ++i) {
      if (i > 0) lines += ',';
      const arrow::Array& values = *rows.column(i);
      if (!values.IsNull(row)) lines += CsvField(ValueText(values, row));
    }
    lines += '\n';
  }
  return lines;
}

}  // namespace shopstream::sql
