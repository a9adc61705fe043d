#include "refine/archived_rows.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "tables/coordinates.h"
#include "tables/erased_offsets.h"

namespace shopstream::refine {

Result<int64_t> CountMissingRows(const lake::Table& table, lake::ObjectStore* place,
                                 const lake::Snapshot& archive,
                                 const std::vector<DataFile>& files) {
  const auto snapshot = table.snapshot();
  int64_t unknown = 0;
  tables::OffsetsByTopic wanted;
  std::set<PartitionValues> partitions;
  for (const DataFile& file : files) {
    partitions.insert(file.partition_values);
    ARROW_RETURN_NOT_OK(tables::VisitCoordinates(
        place, table.path(), file, archive.schema(),
        [&](const std::optional<tables::Coordinates>& at) {
          at ? void(wanted[std::string(at->topic_id)].Insert(at->partition, at->offset))
             : void(++unknown);
          return true;
        }));
  }
  ARROW_ASSIGN_OR_RAISE(const auto removed, tables::ReadRemoved(*snapshot));
  for (const auto& [topic_id, offsets] : removed) {
    const auto found = wanted.find(topic_id);
    if (found != wanted.end()) found->second = found->second.Without(offsets);
  }
  int64_t missing = tables::Count(wanted);
  std::vector<DataFile> live = snapshot->Files();
  // Those that probably have the rows come first.
  std::ranges::stable_partition(live, [&partitions](const DataFile& file) {
    return partitions.contains(file.partition_values);
  });
  tables::OffsetsByTopic found;
  for (const DataFile& file : live) {
    if (missing == 0) break;
    ARROW_RETURN_NOT_OK(tables::VisitCoordinates(
        table.store(), table.path(), file, snapshot->schema(),
        [&](const std::optional<tables::Coordinates>& at) {
          if (!at) return true;
          const std::string topic_id(at->topic_id);
          if (!tables::Contains(wanted, topic_id, at->partition, at->offset)) return true;
          if (found[topic_id].Insert(at->partition, at->offset)) --missing;
          return missing > 0;
        }));
  }
  return missing + unknown;
}

}  // namespace shopstream::refine
