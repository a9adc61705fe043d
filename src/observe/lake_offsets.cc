#include "observe/lake_offsets.h"

#include <algorithm>
#include <optional>

#include "tables/coordinates.h"
#include "tables/record_types.h"

namespace shopstream::observe {

int64_t CountRows(const lake::Snapshot& snapshot) {
  int64_t rows = 0;
  snapshot.VisitFiles([&](const DataFile& file) { rows += std::max<int64_t>(0, file.rows); });
  return rows;
}

Result<std::shared_ptr<const lake::Snapshot>> OpenQuarantine(lake::ObjectStore* store,
                                                             const std::string& path) {
  auto table = lake::Table::Open(store, path);
  if (table.status().IsKeyError()) return nullptr;
  ARROW_RETURN_NOT_OK(table.status());
  return (*table)->snapshot();
}

Result<std::vector<SideTable>> OpenSideTables(lake::ObjectStore* store,
                                              const lake::Snapshot& bronze) {
  std::vector<SideTable> sides;
  ARROW_ASSIGN_OR_RAISE(const auto types, tables::ReadRecordTypes(bronze));
  for (const auto& [type, path] : types) {
    ARROW_ASSIGN_OR_RAISE(const auto table, tables::OpenSideTable(store, path, type));
    sides.push_back({path, table->snapshot()});
  }
  return sides;
}

Result<RowScan> ScanCoordinates(lake::ObjectStore* store, const std::string& table_path,
                                const lake::Snapshot& snapshot, const OnRow& on_row,
                                const OnFile& on_file) {
  RowScan scan;
  for (const DataFile& file : snapshot.Files()) {
    ARROW_RETURN_NOT_OK(
        tables::VisitCoordinates(store, table_path, file, snapshot.schema(),
                                 [&](const std::optional<tables::Coordinates>& row) {
                                   ++scan.rows;
                                   if (row) {
                                     on_row(*row);
                                   } else {
                                     ++scan.without_coordinates;
                                   }
                                   return true;
                                 }));
    ARROW_RETURN_NOT_OK(on_file(scan));
  }
  return scan;
}

}  // namespace shopstream::observe
