#include "refine/erased_rows.h"

#include <arrow/array/util.h>

#include <utility>

#include "base/probes.h"
#include "tables/columns.h"
#include "tables/coordinates.h"

namespace shopstream::refine {

Status Identities::Add(Date date, const arrow::RecordBatch& rows, const std::vector<bool>& chosen) {
  const auto ids = rows.GetColumnByName(kEventId);
  if (ids == nullptr) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto hashes, HashRows(key_, {ids}));
  for (size_t row = 0; row < chosen.size(); ++row) {
    if (chosen[row] && ids->IsValid(static_cast<int64_t>(row))) hashes_[date].insert(hashes[row]);
  }
  return Status::OK();
}

Result<std::vector<bool>> Identities::Contain(Date date, const arrow::RecordBatch& rows) const {
  std::vector<bool> contain(static_cast<size_t>(rows.num_rows()));
  const auto ids = rows.GetColumnByName(kEventId);
  const auto of_date = hashes_.find(date);
  if (ids == nullptr || of_date == hashes_.end()) return contain;
  ARROW_ASSIGN_OR_RAISE(const auto hashes, HashRows(key_, {ids}));
  for (size_t row = 0; row < contain.size(); ++row) {
    contain[row] = ids->IsValid(static_cast<int64_t>(row)) && of_date->second.contains(hashes[row]);
  }
  return contain;
}

std::vector<Date> Identities::Dates() const {
  std::vector<Date> dates;
  for (const auto& [date, hashes] : hashes_) dates.push_back(date);
  return dates;
}

void ErasedRows::AddRows(const tables::OffsetsByTopic* offsets, const std::set<Date>& dates) {
  rows_ = offsets;
  dates_of_rows_ = dates;
}

const std::string& ErasedRows::NameOf(const std::string& column) const {
  return names_[static_cast<size_t>(bronze_.GetFieldIndex(column))];
}

// The files' statistics go by the names of the table.
lake::FilePredicate ErasedRows::PredicateOutline() const {
  for (const std::string& column : predicate_->columns()) {
    if (NameOf(column) != column) return {};
  }
  return predicate_->outline();
}

Result<std::vector<bool>> ErasedRows::Matches(const arrow::RecordBatch& rows) const {
  arrow::FieldVector fields;
  arrow::ArrayVector values;
  for (const std::string& column : predicate_->columns()) {
    const auto& type = bronze_.GetFieldByName(column)->type();
    auto array = rows.GetColumnByName(NameOf(column));
    if (array == nullptr) {  // No row has brought it to this table yet.
      ARROW_ASSIGN_OR_RAISE(array, arrow::MakeArrayOfNull(type, rows.num_rows()));
    }
    fields.push_back(arrow::field(column, type));
    values.push_back(std::move(array));
  }
  return predicate_->Matches(
      *arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows.num_rows(), values));
}

lake::RowChoice ErasedRows::ChoiceOf(lake::FilePredicate outline, Choose choose) {
  lake::RowChoice choice;
  choice.outline = std::move(outline);
  choice.columns = tables::CoordinateColumns::Names();
  choice.columns.emplace_back(kEventId);
  for (const std::string& column : predicate_->columns()) choice.columns.push_back(NameOf(column));
  choice.choose = [this, choose = std::move(choose)](
                      const DataFile& file,
                      const arrow::RecordBatch& rows) -> Result<std::vector<bool>> {
    Probes::OfProcess().Beat();
    ARROW_ASSIGN_OR_RAISE(std::vector<bool> goes, Matches(rows));
    const std::vector<bool> matches = goes;
    ARROW_RETURN_NOT_OK(choose(file, rows, matches, &goes));
    return goes;
  };
  return choice;
}

Status ErasedRows::FindIdentities(Identities* found) {
  const auto add = [found](const DataFile& file, const arrow::RecordBatch& rows,
                           const std::vector<bool>& matches, std::vector<bool>*) -> Status {
    ARROW_ASSIGN_OR_RAISE(const Date date, DateOf(file));
    return found->Add(date, rows, matches);
  };
  return lake::CountChosen(table_, *table_->snapshot(), ChoiceOf(PredicateOutline(), add), search_)
      .status();
}

lake::RowChoice ErasedRows::Choice() {
  offsets_.clear();
  dates_.clear();
  std::vector<Date> dates(dates_of_rows_.begin(), dates_of_rows_.end());
  if (copies_ != nullptr) {
    const std::vector<Date> of_copies = copies_->Dates();
    dates.insert(dates.end(), of_copies.begin(), of_copies.end());
  }
  const auto choose = [this](const DataFile& file, const arrow::RecordBatch& rows,
                             const std::vector<bool>&, std::vector<bool>* goes) -> Status {
    if (copies_ != nullptr) {
      ARROW_ASSIGN_OR_RAISE(const Date date, DateOf(file));
      ARROW_ASSIGN_OR_RAISE(const std::vector<bool> copies, copies_->Contain(date, rows));
      for (size_t row = 0; row < copies.size(); ++row) {
        if (copies[row]) (*goes)[row] = true;
      }
    }
    if (rows_ != nullptr) {
      ARROW_ASSIGN_OR_RAISE(const auto coordinates, tables::CoordinateColumns::Of(rows));
      for (size_t row = 0; row < goes->size(); ++row) {
        const auto at = coordinates.At(static_cast<int64_t>(row));
        if (at && tables::Contains(*rows_, std::string(at->topic_id), at->partition, at->offset)) {
          (*goes)[row] = true;
        }
      }
    }
    return AddChosen(file, rows, *goes);
  };
  return ChoiceOf(lake::FilePredicate::AnyOf({PredicateOutline(), OfDates(dates)}), choose);
}

Status ErasedRows::AddChosen(const DataFile& file, const arrow::RecordBatch& rows,
                             const std::vector<bool>& goes) {
  ARROW_ASSIGN_OR_RAISE(const auto coordinates, tables::CoordinateColumns::Of(rows));
  bool some = false;
  for (size_t row = 0; row < goes.size(); ++row) {
    if (!goes[row]) continue;
    some = true;
    const auto at = coordinates.At(static_cast<int64_t>(row));
    if (at) offsets_[std::string(at->topic_id)].Insert(at->partition, at->offset);
  }
  if (!some) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const Date date, DateOf(file));
  dates_.insert(date);
  return Status::OK();
}

Result<int64_t> ErasedRows::Find() {
  return lake::CountChosen(table_, *table_->snapshot(), Choice(), search_);
}

Result<lake::Removal> ErasedRows::Remove() {
  return lake::PlanRemoval(table_, *table_->snapshot(), Choice(), search_);
}

}  // namespace shopstream::refine
