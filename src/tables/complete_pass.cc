#include "tables/complete_pass.h"

#include <algorithm>
#include <utility>

#include "base/error_kind.h"
#include "base/runtime.h"
#include "lake/delta/log_entry.h"
#include "lake/delta/log_reader.h"
#include "lake/delta/table_at.h"
#include "tables/refine_state.h"

namespace shopstream::tables {
namespace {

using Snapshots = std::vector<Result<std::shared_ptr<const lake::Snapshot>>>;

Snapshots OpenAll(const std::vector<std::string>& paths, const NewestSnapshot& newest) {
  Snapshots snapshots(paths.size(), Status::Invalid("not opened yet"));
  std::vector<Thread> threads;
  for (size_t i = 0; i < paths.size(); ++i) {
    threads.emplace_back([&, i] { snapshots[i] = newest(paths[i]); });
  }
  for (Thread& thread : threads) thread.join();
  return snapshots;
}

int64_t PassOf(const lake::Snapshot& table) { return RefinePass(table).value_or(0); }

// The table before it had a later pass. Entries between two passes are few: merges of files.
Result<std::shared_ptr<const lake::Snapshot>> AtPass(lake::ObjectStore* store,
                                                     const std::string& path,
                                                     std::shared_ptr<const lake::Snapshot> newest,
                                                     int64_t pass) {
  if (PassOf(*newest) == pass) return newest;
  int64_t before = newest->version();
  for (int64_t version = before; version >= 0; --version) {
    ARROW_ASSIGN_OR_RAISE(const auto entry, lake::ReadLogEntry(store, path, version));
    if (!entry) break;
    const auto recorded = RefinePass(*entry);
    if (recorded && *recorded <= pass) break;
    if (recorded) before = version - 1;
  }
  return lake::SnapshotAt(store, path, before);
}

}  // namespace

Result<CompletePass> ReadCompletePass(lake::ObjectStore* store, const RefinedPaths& paths,
                                      const NewestSnapshot& newest) {
  // Rejects are committed first: read first too, so that no table seems to be further behind.
  ARROW_ASSIGN_OR_RAISE(const auto rejects, newest(paths.rejects));
  std::vector<std::string> later = paths.gold;
  later.insert(later.begin(), paths.silver);
  const Snapshots opened = OpenAll(later, newest);

  CompletePass complete;
  complete.pass = PassOf(*rejects);
  complete.tables[paths.rejects] = rejects;
  for (size_t i = 0; i < later.size(); ++i) {
    const bool gold = i > 0;
    if (gold && !opened[i].ok() && KindOf(opened[i].status()) == ErrorKind::kGone) continue;
    ARROW_ASSIGN_OR_RAISE(complete.tables[later[i]], opened[i]);
    const int64_t pass = PassOf(*complete.tables[later[i]]);
    if (!gold || IsFilled(pass, PassOf(*rejects))) complete.pass = std::min(complete.pass, pass);
  }
  for (auto& [path, snapshot] : complete.tables) {
    if (PassOf(*snapshot) < complete.pass) continue;
    ARROW_ASSIGN_OR_RAISE(snapshot, AtPass(store, path, std::move(snapshot), complete.pass));
  }
  ARROW_ASSIGN_OR_RAISE(const auto standing, ReadRefineStanding(*complete.tables.at(paths.silver)));
  complete.complete_through_ms = standing.complete_through_ms;
  return complete;
}

}  // namespace shopstream::tables
