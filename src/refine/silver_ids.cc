#include "refine/silver_ids.h"

#include <arrow/array/builder_binary.h>
#include <arrow/scalar.h>
#include <arrow/table.h>

#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error_kind.h"
#include "base/format.h"
#include "base/log.h"
#include "base/probes.h"
#include "base/sha256.h"
#include "lake/delta/log_entry.h"
#include "lake/parquet/parquet_file.h"
#include "refine/columns.h"
#include "refine/dates.h"
#include "refine/duplicates.h"
#include "refine/rules.h"
#include "tables/columns.h"
#include "tables/refine_state.h"
#include "tables/typed_column.h"

namespace shopstream::refine {
namespace {

constexpr char kIdsSet[] = "ids";
constexpr char kAnewSet[] = "restated";  // While a restate runs.

Result<std::vector<Hash128>> HashIds(const HashKey& key, const arrow::RecordBatch& rows) {
  const auto ids = rows.GetColumnByName(kEventId);
  const auto dates = rows.GetColumnByName(tables::kDate);
  if (ids == nullptr || dates == nullptr) {
    return Status::Invalid("the rows have no column ", kEventId, " or ", tables::kDate);
  }
  return HashRows(key, {ids, dates});
}

Date DateAt(const arrow::Date32Array& dates, int64_t row) {
  return dates.IsNull(row) ? std::nullopt : Date(dates.Value(row));
}

// The rows that no rule rejects.
std::vector<int32_t> AcceptedRows(const arrow::StringArray& reasons) {
  std::vector<int32_t> accepted;
  for (int64_t row = 0; row < reasons.length(); ++row) {
    if (reasons.value_length(row) == 0) accepted.push_back(static_cast<int32_t>(row));
  }
  return accepted;
}

Result<std::shared_ptr<arrow::StringArray>> Mark(const arrow::StringArray& reasons,
                                                 const std::vector<int32_t>& repeated) {
  std::vector<bool> is_repeated(static_cast<size_t>(reasons.length()));
  for (const int32_t row : repeated) is_repeated[row] = true;
  arrow::StringBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Reserve(reasons.length()));
  for (int64_t row = 0; row < reasons.length(); ++row) {
    ARROW_RETURN_NOT_OK(builder.Append(is_repeated[row] ? kDuplicate : reasons.GetView(row)));
  }
  std::shared_ptr<arrow::StringArray> marked;
  ARROW_RETURN_NOT_OK(builder.Finish(&marked));
  return marked;
}

}  // namespace

Result<std::shared_ptr<arrow::StringArray>> SilverIds::AddDuplicates(
    const lake::Snapshot& silver, const PassRows& rows,
    const std::shared_ptr<arrow::StringArray>& reasons) {
  ARROW_RETURN_NOT_OK(Follow(silver));
  const auto rebuild = [&](SeenIndex::Date date, const SeenIndex::Take& take) {
    return Rebuild(silver, date, take);
  };
  Hashes fresh;  // They get into the index once Silver has the rows, see Add.
  return MarkRepeated(kIdsSet, rows, reasons, rebuild, &fresh);
}

Result<std::shared_ptr<arrow::StringArray>> SilverIds::AddDuplicatesAnew(
    const PassRows& rows, const std::shared_ptr<arrow::StringArray>& reasons) {
  const auto begin = [&](SeenIndex::Date date, const SeenIndex::Take&) {
    if (begun_anew_.insert(date).second) return Status::OK();
    return Unavailable("the index of seen ids lost a date while it was restated");
  };
  Hashes fresh;
  ARROW_ASSIGN_OR_RAISE(auto marked, MarkRepeated(kAnewSet, rows, reasons, begin, &fresh));
  for (const auto& [date, hashes] : fresh) {
    ARROW_RETURN_NOT_OK(index_->Insert(kAnewSet, date, hashes));
  }
  return marked;
}

Status SilverIds::BeginAnew() {
  ARROW_RETURN_NOT_OK(EndAnew());
  return index_->Stamp(kAnewSet, {.pass = 0, .version = 0, .commit_id = "restate"});
}

Status SilverIds::EndAnew() {
  begun_anew_.clear();
  return index_->Forget(kAnewSet);
}

Result<std::shared_ptr<arrow::StringArray>> SilverIds::MarkRepeated(
    const std::string& set, const PassRows& rows,
    const std::shared_ptr<arrow::StringArray>& reasons, const RebuildDate& rebuild, Hashes* fresh) {
  const std::vector<int32_t> accepted = AcceptedRows(*reasons);
  ARROW_ASSIGN_OR_RAISE(const auto all_hashes, HashIds(index_->key(), *rows.rows));
  std::vector<Hash128> hashes;
  for (const int32_t row : accepted) hashes.push_back(all_hashes[row]);
  ARROW_ASSIGN_OR_RAISE(const auto copies, FindCopies(*rows.rows, accepted, hashes));
  ARROW_ASSIGN_OR_RAISE(const auto dates,
                        tables::TypedColumn<arrow::Date32Array>(*rows.rows, tables::kDate));
  std::vector<int32_t> repeated;
  std::map<Date, std::vector<int32_t>> rows_of;
  Hashes hashes_of;
  for (size_t i = 0; i < accepted.size(); ++i) {
    const int32_t row = accepted[i];
    if (copies[i]) {
      repeated.push_back(row);
      continue;
    }
    const Date date = DateAt(*dates, row);
    rows_of[date].push_back(row);
    hashes_of[date].push_back(hashes[i]);
  }
  for (const auto& [date, of_date] : hashes_of) {
    const auto rebuild_date = [&, date = date](const SeenIndex::Take& take) {
      return rebuild(date, take);
    };
    ARROW_ASSIGN_OR_RAISE(const auto seen, index_->Contains(set, date, of_date, rebuild_date));
    for (size_t i = 0; i < seen.size(); ++i) {
      if (seen[i]) {
        repeated.push_back(rows_of[date][i]);
      } else {
        (*fresh)[date].push_back(of_date[i]);
      }
    }
  }
  return repeated.empty() ? reasons : Mark(*reasons, repeated);
}

Status SilverIds::Add(const JudgedRows& rows, int64_t pass, int64_t version) {
  const auto stamp = index_->stamp(kIdsSet);
  // What other commits in between did is in Silver's log.
  const bool is_next = stamp && stamp->pass == pass - 1 && stamp->version == version - 1;
  if (!is_next) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto hashes, HashIds(index_->key(), *rows.rows));
  ARROW_ASSIGN_OR_RAISE(const auto dates,
                        tables::TypedColumn<arrow::Date32Array>(*rows.rows, tables::kDate));
  std::map<Date, std::vector<Hash128>> by_date;
  for (const int32_t row : rows.silver) by_date[DateAt(*dates, row)].push_back(hashes[row]);
  for (const auto& [date, of_date] : by_date) {
    ARROW_RETURN_NOT_OK(index_->Insert(kIdsSet, date, of_date));
  }
  ARROW_ASSIGN_OR_RAISE(std::string id, CommitIdOf(version));
  return index_->Stamp(kIdsSet, {.pass = pass, .version = version, .commit_id = std::move(id)});
}

Result<std::string> SilverIds::CommitIdOf(int64_t version) const {
  const std::string path = lake::LogEntryPath(path_, version);
  ARROW_ASSIGN_OR_RAISE(const auto text, store_->Get(path));
  if (text == nullptr) return "";
  ARROW_ASSIGN_OR_RAISE(const lake::LogEntry entry,
                        lake::ParseLogEntry(std::string_view(*text), path));
  std::string id = lake::CommitId(entry);
  // Some programs give their commits none.
  return id.empty() ? FormatHex(Sha256(std::string_view(*text))) : id;
}

// Brings the index to what Silver holds.
Status SilverIds::Follow(const lake::Snapshot& silver) {
  const int64_t pass = tables::RefinePass(silver).value_or(0);
  const auto stamp = index_->stamp(kIdsSet);
  ARROW_ASSIGN_OR_RAISE(const bool followed, CatchUp(silver, pass));
  if (!followed) {
    if (stamp)
      Log::Info("The index of seen ids is of another history of {}: rebuilding it.", path_);
    ARROW_RETURN_NOT_OK(index_->Forget(kIdsSet));
  }
  if (followed && stamp->version == silver.version()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(std::string id, CommitIdOf(silver.version()));
  return index_->Stamp(kIdsSet,
                       {.pass = pass, .version = silver.version(), .commit_id = std::move(id)});
}

// False: it is not known what Silver has that the index lacks.
Result<bool> SilverIds::CatchUp(const lake::Snapshot& silver, int64_t pass) {
  const auto stamp = index_->stamp(kIdsSet);
  if (!stamp || stamp->pass > pass || stamp->version > silver.version()) return false;
  ARROW_ASSIGN_OR_RAISE(const std::string id, CommitIdOf(stamp->version));
  if (id.empty() || id != stamp->commit_id) return false;
  if (stamp->version == silver.version()) return true;
  ARROW_ASSIGN_OR_RAISE(const auto changes,
                        lake::ChangesSince(store_, path_, silver, stamp->version));
  if (!changes) return false;
  ARROW_ASSIGN_OR_RAISE(const bool are_known, ForgetDates(changes->removed));
  if (!are_known) return false;
  for (const DataFile& file : changes->added) {
    ARROW_RETURN_NOT_OK(InsertRows(silver, file, stamp->pass));
  }
  return true;
}

// Some of their ids may no longer be in Silver. The dates are built again when they are next
// needed. False: a date is unknown.
Result<bool> SilverIds::ForgetDates(const std::vector<lake::RemovedFile>& removed) {
  std::set<Date> dates;
  for (const lake::RemovedFile& file : removed) {
    if (file.partition_values.empty()) return false;
    ARROW_ASSIGN_OR_RAISE(const Date date, DateOf(file.partition_values, file.path));
    dates.insert(date);
  }
  for (const Date& date : dates) ARROW_RETURN_NOT_OK(index_->Forget(kIdsSet, date));
  return true;
}

Status SilverIds::InsertRows(const lake::Snapshot& silver, const DataFile& file,
                             int64_t after_pass) {
  ARROW_ASSIGN_OR_RAISE(const auto table,
                        lake::ReadDataFile(store_, path_, file, silver.schema(),
                                           {kEventId, tables::kDate, kRefinePass}));
  ARROW_ASSIGN_OR_RAISE(const auto rows, table->CombineChunksToBatch());
  ARROW_ASSIGN_OR_RAISE(const auto passes,
                        tables::TypedColumn<arrow::Int64Array>(*rows, kRefinePass));
  ARROW_ASSIGN_OR_RAISE(const auto hashes, HashIds(index_->key(), *rows));
  ARROW_ASSIGN_OR_RAISE(const Date date, DateOf(file));
  std::vector<Hash128> later;
  for (int64_t row = 0; row < rows->num_rows(); ++row) {
    // Without a pass: another program has added it.
    if (passes->IsNull(row) || passes->Value(row) > after_pass) later.push_back(hashes[row]);
  }
  return index_->Insert(kIdsSet, date, later);
}

Status SilverIds::Rebuild(const lake::Snapshot& silver, SeenIndex::Date date,
                          const SeenIndex::Take& take) {
  const lake::FilePredicate of_date = OfDates({date});
  std::vector<DataFile> files;
  silver.VisitFiles([&](const DataFile& file) {
    if (of_date.MayMatch(file)) files.push_back(file);
  });
  for (const DataFile& file : files) {
    Probes::OfProcess().Beat();
    ARROW_ASSIGN_OR_RAISE(const auto table, lake::ReadDataFile(store_, path_, file, silver.schema(),
                                                               {kEventId, tables::kDate}));
    arrow::TableBatchReader batches(*table);
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const auto rows, batches.Next());
      if (rows == nullptr) break;
      ARROW_ASSIGN_OR_RAISE(auto hashes, HashIds(index_->key(), *rows));
      ARROW_RETURN_NOT_OK(take(std::move(hashes)));
    }
  }
  return Status::OK();
}

}  // namespace shopstream::refine
