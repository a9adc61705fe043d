#include "console/reject_reasons.h"

#include <arrow/array/array_binary.h>
#include <arrow/table.h>

#include "base/join.h"
#include "lake/parquet/parquet_file.h"
#include "refine/columns.h"

namespace shopstream::console {

Result<RowsByReasons> CountReasons(lake::ObjectStore* store, const std::string& table_path,
                                   const DataFile& file,
                                   const std::shared_ptr<arrow::Schema>& schema) {
  const auto field = schema->GetFieldByName(refine::kReasons);
  if (field == nullptr || field->type()->id() != arrow::Type::STRING) {
    return Status::Invalid("table ", table_path, " has no column ", refine::kReasons,
                           " of strings: is it refine.rejects_table?");
  }
  ARROW_ASSIGN_OR_RAISE(const auto table,
                        lake::ReadDataFile(store, table_path, file, schema, {refine::kReasons}));
  RowsByReasons counts;
  for (const auto& chunk : table->GetColumnByName(refine::kReasons)->chunks()) {
    const auto& reasons = static_cast<const arrow::StringArray&>(*chunk);
    for (int64_t row = 0; row < reasons.length(); ++row) {
      ++counts[reasons.IsNull(row) ? std::string() : reasons.GetString(row)];
    }
  }
  return counts;
}

std::map<std::string, int64_t> BySingleReason(const RowsByReasons& rows) {
  std::map<std::string, int64_t> counts;
  for (const auto& [reasons, count] : rows) {
    for (const std::string& reason : SplitList(reasons)) counts[reason] += count;
  }
  return counts;
}

}  // namespace shopstream::console
