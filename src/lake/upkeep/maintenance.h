#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/runtime.h"
#include "base/stop.h"
#include "lake/delta/table.h"
#include "lake/upkeep/compaction.h"
#include "lake/upkeep/maintenance_policy.h"

namespace shopstream::lake {

struct MaintenanceOptions {
  // Metrics are named after the program: <prefix>_compaction_commits_total.
  std::string metric_prefix = "shopstream_ingest";
  MaintenancePolicy policy;
  CompactionOptions compaction{
      .plan = {},
      .memory_bytes = 16 << 20,  // On top of the writer's, within 300 MB in total.
      .max_bytes = 256 << 20,    // Then the other tables have their turn.
      .patience = {.first = Millis{200}, .longest = Millis{2000}, .give_up_after = Millis{10'000}}};
  // Checking costs microseconds per file, so it happens only after this many new versions, or after
  // the time in which partitions may have become quiet.
  Millis interval{1000};
  int64_t least_versions = 8;
  Millis longest_wait{60'000};
  // On a busy machine, work at low priority may proceed so slowly that files become ever more. So a
  // compaction is started again at normal priority if there are this many new versions before it is
  // done.
  int64_t urgent_versions = 16;
  Millis after_failure{60'000};
  // Garbage is at least a day old, so an hour more or less does not matter, and a process that has
  // just started has more important work.
  Millis vacuum_after_start{600'000};
  Millis vacuum_interval{3'600'000};
  // How often files are deleted that a commit removed, see DeleteExpired; nothing: vacuum does it.
  // For tables whose rows are rewritten all the time.
  std::optional<Millis> expire_interval = {};
};

// Maintains the tables that a long-running writer fills, one after the other at low priority, from
// construction to destruction: compaction as decided by PlanMaintenance, vacuum once an hour, and
// the deletion of expired files if that is asked for. A compaction that is slower than the table's
// writers is started again at normal priority.
// Failures are logged and retried later; writing continues. Several programs may maintain the same
// tables.
class Maintenance {
 public:
  // The tables that exist so far; called by the thread before each check. A table that was there
  // once stays in the list.
  using Tables = std::function<std::vector<Table*>()>;
  // The tables are borrowed and outlive it.
  Maintenance(Tables tables, MaintenanceOptions options);
  ~Maintenance();  // Discards the current merge, stops a vacuum at the next file.

 private:
  struct Counts;
  // One table, and its state when last checked.
  struct Ward {
    Table* table;
    int64_t seen_version = -1;
    BootClock::time_point seen_at{};
    BootClock::time_point not_before{};
    CompactionResult unreported;  // Merged since the last log line.
    BootClock::time_point reported_at{};
    BootClock::time_point vacuum_at{};
    BootClock::time_point expire_at{};
    int64_t expired_before_ms = 0;
  };

  void Run();
  void TakeNewTables();
  bool IsDue(const Ward& ward) const;
  enum class Urgency { kCanWait, kUrgent };
  void Compact(Ward* ward);
  // False: it could wait, was slower than the writers, and left the rest to an urgent call.
  bool Merge(Ward* ward, Urgency urgency);
  void Vacuum(Ward* ward);
  void DeleteExpired(Ward* ward);
  void Report(Ward* ward, const CompactionResult& result);

  const Tables tables_;
  const MaintenanceOptions options_;
  std::vector<Ward> wards_;  // Used by the thread only.
  std::unique_ptr<Counts> counts_;
  StopSource stop_;
  Thread thread_;
};

}  // namespace shopstream::lake
