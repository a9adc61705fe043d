#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/store/object_store.h"
#include "model/data_file.h"
#include "refine/columns.h"
#include "refine/judge.h"
#include "refine/pass_input.h"
#include "refine/stop_decision.h"

namespace shopstream::refine {

// When rows are refined.
struct PassStamp {
  int64_t pass = 0;
  int64_t refined_at_ms = 0;  // Wall clock, since 1970.
};

// The rows of a pass with their verdicts. Each row is in Silver or in rejects.
struct JudgedRows {
  // The columns of Silver and of rejects.
  std::shared_ptr<arrow::RecordBatch> rows;
  std::vector<int32_t> silver, rejects;  // Positions, ascending.
  std::vector<int32_t> partition_of_row;
  std::vector<PartitionValues> partitions;  // Of Bronze.
};

// `reasons`: of every row, "" for those of Silver. Invalid: the columns do not belong together.
Result<JudgedRows> CombineRows(const RefineColumns& columns, const PassRows& rows,
                               const Verdicts& verdicts,
                               const std::shared_ptr<arrow::StringArray>& reasons,
                               const PassStamp& stamp);

// `warnings`: of every row, as reasons.
Tally CountRows(const arrow::StringArray& reasons, const arrow::StringArray& warnings);

// Data files, durable but in no version yet.
Result<std::vector<DataFile>> WriteSilverRows(lake::ObjectStore* store, const std::string& path,
                                              const RefineColumns& columns, const JudgedRows& rows);
Result<std::vector<DataFile>> WriteRejectedRows(lake::ObjectStore* store, const std::string& path,
                                                const RefineColumns& columns,
                                                const JudgedRows& rows);

}  // namespace shopstream::refine
