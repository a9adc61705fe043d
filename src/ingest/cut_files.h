#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "ingest/cut.h"
#include "lake/store/object_store.h"
#include "model/data_file.h"

namespace shopstream::ingest {

// Writes the rows of a cut as data files of Bronze, one per lake partition, in the order they were
// read. No log entry names them before the commit. Memory holds a copy of one partition's rows for
// each thread, and a few encoded files if the store is remote.
Result<std::vector<DataFile>> WriteBronzeFiles(lake::ObjectStore* store, const Cut& cut);

// Likewise its quarantined records, as one file, of the day of ingestion.
Result<std::vector<DataFile>> WriteQuarantineFiles(lake::ObjectStore* store, const Cut& cut);

}  // namespace shopstream::ingest
