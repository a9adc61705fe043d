#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/store/object_store.h"
#include "tables/coordinates.h"

namespace shopstream::observe {

// The topic's id is valid only during the call.
using OnRow = std::function<void(const tables::Coordinates&)>;

struct RowScan {
  int64_t rows = 0;
  int64_t without_coordinates = 0;  // A null or negative coordinate: not written by ingest.
};

// Called after each file with what was read so far; an error stops the scan.
using OnFile = std::function<Status(const RowScan& so_far)>;

// According to the table's log.
int64_t CountRows(const lake::Snapshot& snapshot);

// Null: there is no quarantine. A cut's quarantine is committed before its Bronze commit, so a
// snapshot read after Bronze's contains everything that belongs to it.
Result<std::shared_ptr<const lake::Snapshot>> OpenQuarantine(lake::ObjectStore* store,
                                                             const std::string& path);

struct SideTable {
  std::string path;
  std::shared_ptr<const lake::Snapshot> snapshot;
};
// The side tables that this version of Bronze announces; read after Bronze, as quarantine. Invalid:
// one is missing.
Result<std::vector<SideTable>> OpenSideTables(lake::ObjectStore* store,
                                              const lake::Snapshot& bronze);

// Reads the coordinates of every live row, file by file, in the order of the rows in each file.
Result<RowScan> ScanCoordinates(lake::ObjectStore* store, const std::string& table_path,
                                const lake::Snapshot& snapshot, const OnRow& on_row,
                                const OnFile& on_file);

}  // namespace shopstream::observe
