#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "lake/delta/table.h"
#include "lake/upkeep/row_removal.h"
#include "refine/columns.h"
#include "refine/dates.h"
#include "refine/id_hash.h"
#include "refine/row_predicate.h"
#include "tables/erased_offsets.h"

namespace shopstream::refine {

// Purchases by their (event_id, date), 16 bytes each. Rows without an id are none of them.
class Identities {
 public:
  explicit Identities(HashKey key) : key_(key) {}

  // Those of the rows that are chosen.
  Status Add(Date date, const arrow::RecordBatch& rows, const std::vector<bool>& chosen);
  // Whether each of the rows is one of them.
  Result<std::vector<bool>> Contain(Date date, const arrow::RecordBatch& rows) const;
  std::vector<Date> Dates() const;

 private:
  HashKey key_;
  std::map<Date, std::set<Hash128>> hashes_;
};

// The rows of one table that an erase removes: those that match the predicate, and those that it is
// told of. One thread.
class ErasedRows {
 public:
  // `table` has Bronze's columns, perhaps by other names: `names`, one for each of them. All are
  // borrowed.
  ErasedRows(lake::Table* table, const arrow::Schema& bronze, const std::vector<std::string>& names,
             RowPredicate* predicate, lake::RemovalOptions search = {})
      : table_(table),
        bronze_(bronze),
        names_(names),
        predicate_(predicate),
        search_(std::move(search)) {}

  // Further rows that go: copies of a purchase, and rows by where they came from, which have one of
  // these dates. Borrowed; null: none.
  void AddCopies(const Identities* copies) { copies_ = copies; }
  void AddRows(const tables::OffsetsByTopic* offsets, const std::set<Date>& dates);

  // The identities of the rows that match, in addition to those that it has.
  Status FindIdentities(Identities* found);
  // Only searches. How many rows go; offsets() and dates() show which.
  Result<int64_t> Find();
  // Writes the files that are left. Nothing names them yet.
  Result<lake::Removal> Remove();

  // Of the last Find or Remove: where the rows came from that have coordinates, and their dates.
  const tables::OffsetsByTopic& offsets() const { return offsets_; }
  const std::set<Date>& dates() const { return dates_; }

 private:
  using Choose = std::function<Status(const DataFile& file, const arrow::RecordBatch& rows,
                                      const std::vector<bool>& matches, std::vector<bool>* goes)>;
  lake::RowChoice ChoiceOf(lake::FilePredicate outline, Choose choose);
  lake::RowChoice Choice();
  lake::FilePredicate PredicateOutline() const;
  const std::string& NameOf(const std::string& column) const;
  Result<std::vector<bool>> Matches(const arrow::RecordBatch& rows) const;
  Status AddChosen(const DataFile& file, const arrow::RecordBatch& rows,
                   const std::vector<bool>& goes);

  lake::Table* const table_;
  const arrow::Schema& bronze_;
  const std::vector<std::string>& names_;
  RowPredicate* const predicate_;
  const lake::RemovalOptions search_;
  const Identities* copies_ = nullptr;
  const tables::OffsetsByTopic* rows_ = nullptr;
  std::set<Date> dates_of_rows_;
  tables::OffsetsByTopic offsets_;
  std::set<Date> dates_;
};

}  // namespace shopstream::refine
