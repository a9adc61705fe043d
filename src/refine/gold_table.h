#pragma once

#include <arrow/record_batch.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "refine/dates.h"
#include "refine/gold_file.h"
#include "tables/refine_state.h"

// Rows and records of a Gold table, for its passes and its builds.
namespace shopstream::refine {

// The property that has the hash of the text from which the table was built.
inline constexpr char kGoldSqlProperty[] = "shopstream.refine.sql";

// Whether the table holds a pass, perhaps the empty one, and was built from this text. A table that
// is merely created is not built, whatever Silver holds.
bool IsBuilt(const lake::Snapshot& gold, const GoldFile& file);

// What a Gold table records of Silver's standing; no pass is recorded as pass 0.
tables::RefineStanding GoldStanding(const tables::RefineStanding& silver);

// The live files of each of the dates.
Result<std::map<Date, std::vector<DataFile>>> FilesOf(const lake::Snapshot& gold,
                                                      const std::vector<Date>& dates);

// All rows of the files, with these columns.
Result<std::shared_ptr<arrow::RecordBatch>> ReadRows(lake::ObjectStore* store,
                                                     const std::string& table_path,
                                                     const std::vector<DataFile>& files,
                                                     const std::shared_ptr<arrow::Schema>& columns);

// One file for each date of the rows, which are sorted by date.
Result<std::vector<DataFile>> WriteDates(lake::ObjectStore* store, const std::string& table_path,
                                         const std::shared_ptr<arrow::RecordBatch>& rows);

// Deletes files that no version names. What cannot be deleted is left to vacuum.
void Discard(lake::ObjectStore* store, const std::string& table_path,
             const std::vector<DataFile>& files);

}  // namespace shopstream::refine
