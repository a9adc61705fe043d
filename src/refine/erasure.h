#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "lake/store/object_store.h"
#include "refine/columns.h"
#include "refine/erased_rows.h"
#include "refine/pass.h"
#include "refine/refine_tables.h"
#include "refine/row_predicate.h"
#include "tables/quarantine_choice.h"
#include "tables/refine_task.h"

namespace shopstream::refine {

// An erase: the rows that match a predicate go from every table, and all copies of such a purchase.
// First from Bronze, its side tables and quarantine, then from rejects, whose commit also decides
// which rows of Silver go. Killed at any moment and repeated, it does the rest. One thread.
class Erasure {
 public:
  // As of the last Refresh of the tables. Borrowed; all outlive it. `quarantine` may be empty:
  // there is none. `search`: how the searches are stopped and watched; they return Cancelled once
  // it says stop. Invalid: the predicate does not fit Bronze.
  static Result<std::unique_ptr<Erasure>> Open(lake::ObjectStore* store, const RefineTables& tables,
                                               const tables::RefineTask& task,
                                               tables::EraseQuarantine quarantine,
                                               lake::RemovalOptions search);

  // Everything that refine does not fill. One commit to Bronze, the last of them, records that it
  // is done; afterwards nothing is looked at again. Unavailable, Gone: repeat it.
  Status EraseSources(Millis commit_deadline);

  // What the task changes in rejects; they record where the rows of both tables came from, and the
  // dates that Gold recomputes.
  Status AddToRejects(PassChanges* changes);
  // And in Silver, once rejects hold the task.
  Status AddToSilver(PassChanges* changes);

 private:
  struct Source;  // Bronze or a side table.

  Erasure(lake::ObjectStore* store, const RefineTables& tables, tables::RefineTask task,
          tables::EraseQuarantine quarantine, lake::RemovalOptions search)
      : store_(store),
        tables_(tables),
        task_(std::move(task)),
        quarantine_(std::move(quarantine)),
        search_(std::move(search)) {}
  ErasedRows RowsOf(lake::Table* table, const std::vector<std::string>& names);
  Status FindIdentities(bool in_bronze, Identities* found);
  Result<std::vector<Source>> OpenSources();
  Result<tables::QuarantineErased> EraseQuarantined(const std::vector<Source>& sources);
  Status Commit(const Source& source, const tables::QuarantineErased& quarantined,
                Millis commit_deadline);
  void Record(const lake::Removal& removal, PassChanges* changes) const;

  lake::ObjectStore* const store_;
  const RefineTables& tables_;
  const tables::RefineTask task_;
  const tables::EraseQuarantine quarantine_;
  const lake::RemovalOptions search_;
  RefineColumns columns_;
  std::vector<std::string> bronze_names_;
  std::unique_ptr<RowPredicate> predicate_;
};

}  // namespace shopstream::refine
