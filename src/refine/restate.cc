#include "refine/restate.h"

#include <arrow/array/util.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "refine/date_groups.h"
#include "refine/gold_table.h"
#include "tables/coordinates.h"
#include "tables/refine_task.h"

namespace shopstream::refine {
namespace {

Result<RowOffsets> CoordinatesIn(lake::ObjectStore* store, const lake::Table& table,
                                 const std::vector<DataFile>& files) {
  RowOffsets offsets;
  for (const DataFile& file : files) {
    ARROW_RETURN_NOT_OK(tables::VisitCoordinates(
        store, table.path(), file, table.snapshot()->schema(),
        [&](const std::optional<tables::Coordinates>& at) {
          if (at) offsets[std::string(at->topic_id)].Insert(at->partition, at->offset);
          return true;
        }));
  }
  return offsets;
}

Result<std::vector<DataFile>> LiveFilesOf(const lake::Table& table, const std::set<Date>& dates) {
  ARROW_ASSIGN_OR_RAISE(const auto by_date,
                        FilesOf(*table.snapshot(), {dates.begin(), dates.end()}));
  std::vector<DataFile> files;
  for (const auto& [date, of_date] : by_date) {
    files.insert(files.end(), of_date.begin(), of_date.end());
  }
  return files;
}

void Append(std::vector<DataFile> files, RestatedFiles* restated) {
  std::ranges::move(files, std::back_inserter(restated->files));
}

void AddTo(Tally* sum, const Tally& part) {
  sum->rows += part.rows;
  sum->silver += part.silver;
  for (const auto& [reason, rows] : part.by_reason) sum->by_reason[reason] += rows;
  for (const auto& [rule, rows] : part.warned) sum->warned[rule] += rows;
}

}  // namespace

Restate::Restate(lake::ObjectStore* store, const RefineTables& tables, PassJudge* judge,
                 SilverIds* ids, const tables::RefineStanding& standing,
                 const RefinedRows::Limits& limits)
    : store_(store),
      tables_(tables),
      judge_(judge),
      ids_(ids),
      standing_(standing),
      limits_(limits) {}

Result<RefinedRows> Restate::Refined() const {
  return RefinedRows::Of(store_, tables_.bronze->path(), tables_.bronze->snapshot(), standing_);
}

Result<RestatedFiles> Restate::Rejects(const std::set<Date>& dates, const PassStamp& stamp) {
  ARROW_ASSIGN_OR_RAISE(const RefinedRows rows, Refined());
  RestatedFiles restated;
  restated.written_since = BootClock::now();
  ARROW_ASSIGN_OR_RAISE(restated.replaced, LiveFilesOf(*tables_.rejects, dates));
  ARROW_RETURN_NOT_OK(ids_->BeginAnew());
  for (const Date date : dates) {
    ARROW_RETURN_NOT_OK(JudgeDate(rows, date, stamp, &restated));
  }
  ARROW_RETURN_NOT_OK(ids_->EndAnew());
  return restated;
}

// What Silver has comes first, so that other copies of it are the repeated ones.
Status Restate::JudgeDate(const RefinedRows& rows, Date date, const PassStamp& stamp,
                          RestatedFiles* restated) {
  ARROW_ASSIGN_OR_RAISE(const auto files, LiveFilesOf(*tables_.silver, {date}));
  ARROW_ASSIGN_OR_RAISE(const RowOffsets kept, CoordinatesIn(store_, *tables_.silver, files));
  const auto judge = [&](const PassRows& some) { return WriteVerdict(some, stamp, restated); };
  for (const bool in_silver : {true, false}) {
    const auto wants = [&](const tables::Coordinates& at) {
      return Contains(kept, at) == in_silver;
    };
    ARROW_RETURN_NOT_OK(rows.Visit(date, wants, limits_, judge));
  }
  return Status::OK();
}

Status Restate::WriteVerdict(const PassRows& rows, const PassStamp& stamp,
                             RestatedFiles* restated) {
  const RefineColumns columns = RefineColumns::From(rows.rows->schema());
  ARROW_ASSIGN_OR_RAISE(const Verdicts verdicts, judge_->Look(columns, rows.rows));
  ARROW_ASSIGN_OR_RAISE(const auto reasons, ids_->AddDuplicatesAnew(rows, verdicts.reasons));
  AddTo(&restated->tally, CountRows(*reasons, *verdicts.warnings));
  ARROW_ASSIGN_OR_RAISE(const JudgedRows judged,
                        CombineRows(columns, rows, verdicts, reasons, stamp));
  ARROW_ASSIGN_OR_RAISE(auto files,
                        WriteRejectedRows(store_, tables_.rejects->path(), columns, judged));
  Append(std::move(files), restated);
  return Status::OK();
}

Result<RestatedFiles> Restate::Silver(const std::set<Date>& dates, const PassStamp& stamp) {
  ARROW_ASSIGN_OR_RAISE(const RefinedRows rows, Refined());
  RestatedFiles restated;
  restated.written_since = BootClock::now();
  ARROW_ASSIGN_OR_RAISE(restated.replaced, LiveFilesOf(*tables_.silver, dates));
  ARROW_ASSIGN_OR_RAISE(const RowOffsets rejected,
                        ReadRejectedOffsets(store_, tables_.rejects->path(),
                                            *tables_.rejects->snapshot(), stamp.pass));
  const auto wants = [&](const tables::Coordinates& at) { return !Contains(rejected, at); };
  for (const Date date : dates) {
    ARROW_RETURN_NOT_OK(rows.Visit(date, wants, limits_, [&](const PassRows& some) {
      return WriteAccepted(some, stamp, &restated);
    }));
  }
  return restated;
}

Status Restate::WriteAccepted(const PassRows& rows, const PassStamp& stamp,
                              RestatedFiles* restated) {
  const RefineColumns columns = RefineColumns::From(rows.rows->schema());
  ARROW_ASSIGN_OR_RAISE(const Verdicts verdicts, judge_->Look(columns, rows.rows));
  ARROW_ASSIGN_OR_RAISE(const auto none,
                        arrow::MakeArrayFromScalar(arrow::StringScalar(""), rows.rows->num_rows()));
  ARROW_ASSIGN_OR_RAISE(const JudgedRows judged,
                        CombineRows(columns, rows, verdicts,
                                    std::static_pointer_cast<arrow::StringArray>(none), stamp));
  ARROW_ASSIGN_OR_RAISE(auto files,
                        WriteSilverRows(store_, tables_.silver->path(), columns, judged));
  restated->tally.silver += rows.rows->num_rows();
  Append(std::move(files), restated);
  return Status::OK();
}

Result<std::optional<int32_t>> FirstDateToRestate(const RefineTables& tables) {
  std::optional<int32_t> first;
  for (const lake::Table* table :
       {tables.bronze.get(), tables.silver.get(), tables.rejects.get()}) {
    ARROW_ASSIGN_OR_RAISE(const auto horizon, tables::ReadHorizon(*table->snapshot()));
    first = std::max(first, horizon);
  }
  return first;
}

Result<std::vector<std::vector<Date>>> GroupsToRestate(const RefineTables& tables,
                                                       std::optional<int32_t> from,
                                                       std::optional<int32_t> to,
                                                       int64_t group_rows) {
  const std::vector<std::shared_ptr<const lake::Snapshot>> snapshots = {
      tables.bronze->snapshot(), tables.silver->snapshot(), tables.rejects->snapshot()};
  ARROW_ASSIGN_OR_RAISE(const auto kept, FirstDateToRestate(tables));
  const std::optional<int32_t> first = std::max(from, kept);
  const auto wants = [&](const Date& date) {
    if (!date) return !from && !to;
    return (!first || *date >= *first) && (!to || *date <= *to);
  };
  // A row of Bronze is in one of the others, too.
  return GroupDates(snapshots, wants, 2 * group_rows);
}

}  // namespace shopstream::refine
