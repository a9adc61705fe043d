#include "simulate/forwarding_table.h"

#include <algorithm>
#include <vector>

#include "simulate/snapshot_view.h"

namespace shopstream::simulate {

Result<lake::CommitResult> CommitLiveRemoves(lake::Table* table, const lake::Prepare& prepare,
                                             BootClock::time_point deadline) {
  ARROW_ASSIGN_OR_RAISE(const auto now, table->Refresh());
  std::vector<std::string> live;
  for (const DataFile& file : now->Files()) live.push_back(file.path);
  const auto rest = [&](const lake::Snapshot& snapshot) {
    Prepared prepared = prepare(snapshot);
    if (lake::Changes* changes = ChangesIn(&prepared)) {
      std::erase_if(changes->removes, [&](const DataFile& file) {
        return !std::binary_search(live.begin(), live.end(), file.path);
      });
    }
    return prepared;
  };
  return table->Commit(rest, deadline);
}

}  // namespace shopstream::simulate
