#pragma once

#include <arrow/array.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/delta/table_changes.h"
#include "lake/store/object_store.h"
#include "refine/judged_rows.h"
#include "refine/pass_input.h"
#include "refine/seen_index.h"

namespace shopstream::refine {

// Finds repeated purchases: those whose (event_id, date) Silver has, or an earlier row of the same
// pass. Keeps the index of seen ids in step with Silver: with its passes, and with rows that
// another program deletes or changes, whose ids count as seen only if Silver still has them. One
// thread.
class SilverIds {
 public:
  // Borrowed; both outlive it.
  SilverIds(lake::ObjectStore* store, std::string silver_path, SeenIndex* index)
      : store_(store), path_(std::move(silver_path)), index_(index) {}

  // `reasons` of every row, "" if no rule rejects it; with kDuplicate for those that are repeated.
  // Of several copies in the pass, the earliest by Kafka's time, topic id, partition and offset
  // stays. `silver`: what it holds before the pass. Gone: a file was compacted and deleted
  // meanwhile; refresh and repeat.
  Result<std::shared_ptr<arrow::StringArray>> AddDuplicates(
      const lake::Snapshot& silver, const PassRows& rows,
      const std::shared_ptr<arrow::StringArray>& reasons);

  // The same among the rows of a restate alone, whatever Silver holds: of several copies, the one
  // of an earlier call since BeginAnew stays. Unavailable: the index lost a date; begin anew.
  Result<std::shared_ptr<arrow::StringArray>> AddDuplicatesAnew(
      const PassRows& rows, const std::shared_ptr<arrow::StringArray>& reasons);
  Status BeginAnew();
  Status EndAnew();

  // Silver holds the rows now, by the commit of this version. An index that is not at the version
  // before it follows later.
  Status Add(const JudgedRows& rows, int64_t pass, int64_t version);

 private:
  using Hashes = std::map<SeenIndex::Date, std::vector<Hash128>>;
  using RebuildDate = std::function<Status(SeenIndex::Date date, const SeenIndex::Take& take)>;
  // `fresh`: the identities of the rows that stay.
  Result<std::shared_ptr<arrow::StringArray>> MarkRepeated(
      const std::string& set, const PassRows& rows,
      const std::shared_ptr<arrow::StringArray>& reasons, const RebuildDate& rebuild,
      Hashes* fresh);
  Status Follow(const lake::Snapshot& silver);
  Result<bool> CatchUp(const lake::Snapshot& silver, int64_t pass);
  Result<bool> ForgetDates(const std::vector<lake::RemovedFile>& removed);
  Status InsertRows(const lake::Snapshot& silver, const DataFile& file, int64_t after_pass);
  Status Rebuild(const lake::Snapshot& silver, SeenIndex::Date date, const SeenIndex::Take& take);
  // "": the log no longer has the version.
  Result<std::string> CommitIdOf(int64_t version) const;

  lake::ObjectStore* const store_;
  const std::string path_;
  SeenIndex* const index_;
  std::set<SeenIndex::Date> begun_anew_;  // Dates that the index got since BeginAnew.
};

}  // namespace shopstream::refine
