#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"

namespace shopstream::lake {

struct FileCheck {
  int64_t rows = 0;                  // By the footer.
  std::vector<std::string> reasons;  // Differences from the log; empty: none.
};

// Partition values: one per partition column, of its type, and equal to the value in the path if
// the path has it (column=value).
std::vector<std::string> CheckPartition(const DataFile& file, const Snapshot& snapshot);

// Rows and statistics of a file, from its footer or, if `deep`, from its values, of which it holds
// one column of a row group at a time. An error: the file cannot be read.
Result<FileCheck> CheckFileContent(ObjectStore* store, const std::string& table_path,
                                   const DataFile& file, const arrow::Schema& schema, bool deep);

}  // namespace shopstream::lake
