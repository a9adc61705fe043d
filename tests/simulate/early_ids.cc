#include "simulate/early_ids.h"

#include <arrow/table.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "lake/parquet/parquet_file.h"
#include "refine/dates.h"
#include "refine/id_hash.h"
#include "tables/columns.h"
#include "tables/coordinates.h"
#include "tables/refine_state.h"

namespace shopstream::simulate {
namespace {

using EarlyPlace = std::tuple<std::string, int32_t, int64_t>;

// Whether the row is between the ends of two passes.
bool IsOfPass(const tables::RefineStanding& before, const std::map<std::string, int64_t>& after,
              const tables::Coordinates& at) {
  const tables::ProgressKey key{std::string(at.topic_id), at.partition};
  const auto begin = before.ends.find(key);
  const auto end =
      after.find("shopstream-refine/" + key.topic_id + "/" + std::to_string(key.partition));
  return end != after.end() && at.offset < end->second &&
         at.offset >= (begin == before.ends.end() ? 0 : begin->second);
}

}  // namespace

Status InsertEarly(const lake::Table& bronze, const lake::Table& rejects,
                   const lake::Changes& changes, refine::SeenIndex* index) {
  ARROW_ASSIGN_OR_RAISE(const auto before, tables::ReadRefineStanding(*rejects.snapshot()));
  std::set<EarlyPlace> rejected;
  for (const DataFile& file : changes.adds) {
    ARROW_RETURN_NOT_OK(tables::VisitCoordinates(
        rejects.store(), rejects.path(), file, rejects.snapshot()->schema(),
        [&](const std::optional<tables::Coordinates>& at) {
          if (at) rejected.emplace(at->topic_id, at->partition, at->offset);
          return true;
        }));
  }
  const auto snapshot = bronze.snapshot();
  for (const DataFile& file : snapshot->Files()) {
    std::vector<std::string> columns = tables::CoordinateColumns::Names();
    columns.insert(columns.end(), {"event_id", tables::kDate});
    ARROW_ASSIGN_OR_RAISE(const auto read, lake::ReadDataFile(bronze.store(), bronze.path(), file,
                                                              snapshot->schema(), columns));
    ARROW_ASSIGN_OR_RAISE(const auto rows, read->CombineChunksToBatch());
    ARROW_ASSIGN_OR_RAISE(const auto coordinates, tables::CoordinateColumns::Of(*rows));
    ARROW_ASSIGN_OR_RAISE(const auto hashes,
                          refine::HashRows(index->key(), {rows->GetColumnByName("event_id"),
                                                          rows->GetColumnByName(tables::kDate)}));
    std::vector<refine::Hash128> early;
    for (int64_t row = 0; row < rows->num_rows(); ++row) {
      const auto at = coordinates.At(row);
      if (!at || !IsOfPass(before, changes.txns, *at)) continue;
      if (rejected.contains({std::string(at->topic_id), at->partition, at->offset})) continue;
      early.push_back(hashes[static_cast<size_t>(row)]);
    }
    ARROW_ASSIGN_OR_RAISE(const auto date, refine::DateOf(file));
    ARROW_RETURN_NOT_OK(index->Insert("ids", date, early));
  }
  return Status::OK();
}

}  // namespace shopstream::simulate
