#include "tables/quarantine_causes.h"

#include <arrow/array/array_binary.h>
#include <arrow/table.h>

#include "lake/parquet/parquet_file.h"
#include "tables/columns.h"

namespace shopstream::tables {

Result<std::map<std::string, int64_t>> CountCauses(lake::ObjectStore* store,
                                                   const std::string& table_path,
                                                   const DataFile& file,
                                                   const std::shared_ptr<arrow::Schema>& schema) {
  std::map<std::string, int64_t> rows_by_cause;
  const auto field = schema->GetFieldByName(kCause);
  if (field == nullptr || field->type()->id() != arrow::Type::STRING) {
    return Status::Invalid("table ", table_path, " has no column ", kCause, " of strings: is it a ",
                           "quarantine (lake.quarantine_table)?");
  }
  ARROW_ASSIGN_OR_RAISE(const auto table,
                        lake::ReadDataFile(store, table_path, file, schema, {kCause}));
  for (const auto& chunk : table->GetColumnByName(kCause)->chunks()) {
    const auto& causes = static_cast<const arrow::StringArray&>(*chunk);
    for (int64_t row = 0; row < causes.length(); ++row) {
      ++rows_by_cause[causes.IsNull(row) ? std::string() : causes.GetString(row)];
    }
  }
  return rows_by_cause;
}

}  // namespace shopstream::tables
