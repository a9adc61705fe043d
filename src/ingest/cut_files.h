#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "ingest/cut.h"
#include "lake/store/object_store.h"
#include "model/data_file.h"

namespace shopstream::ingest {

// Writes the rows that the cut has for one table as its data files, one per lake partition, in the
// order they were read. No log entry names them before the commit. Memory holds a copy of one
// partition's rows for each thread, and a few encoded files if the store is remote.
Result<std::vector<DataFile>> WriteRowFiles(lake::ObjectStore* store, const Cut& cut,
                                            const TableRows& rows);

// The same rows with all columns of the table, partition columns last.
Result<std::shared_ptr<arrow::RecordBatch>> WholeRows(const Cut& cut, const TableRows& rows);

// Likewise its quarantined records, as one file, of the day of ingestion.
Result<std::vector<DataFile>> WriteQuarantineFiles(lake::ObjectStore* store, const Cut& cut);

}  // namespace shopstream::ingest
