#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "lake/delta/table_state.h"
#include "lake/store/object_store.h"

namespace shopstream::lake {

struct LoadedState {
  std::shared_ptr<const TableState> state;
  int64_t checkpoint_version = -1;  // The checkpoint it was built on; -1: none.
};

// The newest version of the table, from its newest usable checkpoint and the entries after it.
// KeyError: no such table. NotImplemented: not supported by this reader. Invalid: it is damaged.
Result<LoadedState> LoadState(ObjectStore* store, const std::string& table_path);

// The table as of a version that the log still has; null: it does not. KeyError, NotImplemented,
// Invalid: as LoadState.
Result<std::shared_ptr<const TableState>> LoadStateAt(ObjectStore* store,
                                                      const std::string& table_path,
                                                      int64_t version);

// The versions that can be loaded: all from the oldest to the newest.
struct LogSpan {
  int64_t oldest = 0;
  int64_t newest = 0;
};
Result<LogSpan> ReadLogSpan(ObjectStore* store, const std::string& table_path);

// Reads entry after entry until there is none, and returns the newest state (`from` itself if
// nothing is new). Null: too far behind; load the state instead.
Result<std::shared_ptr<const TableState>> AdvanceState(
    ObjectStore* store, const std::string& table_path,
    const std::shared_ptr<const TableState>& from);

// The entry of one version; nothing if it does not exist.
Result<std::optional<LogEntry>> ReadLogEntry(ObjectStore* store, const std::string& table_path,
                                             int64_t version);

}  // namespace shopstream::lake
