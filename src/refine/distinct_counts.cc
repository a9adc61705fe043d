#include "refine/distinct_counts.h"

#include <arrow/array/array_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api_vector.h>
#include <arrow/scalar.h>

#include <utility>

#include "lake/parquet/file_predicate.h"
#include "refine/columns.h"
#include "refine/gold_scan.h"

namespace shopstream::refine {
namespace {

// The values of a column of lists, one by one, without nulls.
struct SeenValues {
  std::vector<int32_t> rows;  // Of the batch, for each value.
  std::vector<Hash128> hashes;
};

Result<SeenValues> HashValues(const GoldFile& file, const std::string& column,
                              const arrow::RecordBatch& part, const HashKey& key) {
  const auto& lists = static_cast<const arrow::ListArray&>(*part.GetColumnByName(column));
  const auto& values = *lists.values();
  SeenValues seen;
  arrow::Int32Builder rows, places;
  for (int64_t row = 0; row < lists.length(); ++row) {
    if (lists.IsNull(row)) continue;
    for (int32_t at = lists.value_offset(row); at < lists.value_offset(row + 1); ++at) {
      if (values.IsNull(at)) continue;  // count(DISTINCT ...) ignores them.
      seen.rows.push_back(static_cast<int32_t>(row));
      ARROW_RETURN_NOT_OK(places.Append(at));
    }
  }
  ARROW_RETURN_NOT_OK(rows.AppendValues(seen.rows));
  ARROW_ASSIGN_OR_RAISE(const auto of_rows, rows.Finish());
  ARROW_ASSIGN_OR_RAISE(const auto of_values, places.Finish());
  arrow::ArrayVector hashed;
  for (const std::string& name : file.Keys()) {
    ARROW_ASSIGN_OR_RAISE(hashed.emplace_back(),
                          arrow::compute::Take(*part.GetColumnByName(name), *of_rows));
  }
  ARROW_ASSIGN_OR_RAISE(hashed.emplace_back(), arrow::compute::Take(values, *of_values));
  ARROW_ASSIGN_OR_RAISE(seen.hashes, HashRows(key, hashed));
  return seen;
}

// The values of a column with one value in each row, without nulls.
Result<std::vector<Hash128>> HashRowValues(const GoldFile& file, const std::string& column,
                                           const arrow::RecordBatch& rows, const HashKey& key) {
  const auto values = rows.GetColumnByName(column);
  arrow::Int32Builder builder;
  for (int64_t row = 0; row < rows.num_rows(); ++row) {
    if (values->IsValid(row)) ARROW_RETURN_NOT_OK(builder.Append(static_cast<int32_t>(row)));
  }
  ARROW_ASSIGN_OR_RAISE(const auto kept, builder.Finish());
  std::vector<std::string> names = file.Keys();
  names.push_back(column);
  arrow::ArrayVector hashed;
  for (const std::string& name : names) {
    ARROW_ASSIGN_OR_RAISE(hashed.emplace_back(),
                          arrow::compute::Take(*rows.GetColumnByName(name), *kept));
  }
  return HashRows(key, hashed);
}

bool HasFile(const lake::Snapshot& table, const lake::FilePredicate& rows) {
  bool found = false;
  table.VisitFiles([&](const DataFile& file) { found = found || rows.MayMatch(file); });
  return found;
}

}  // namespace

DistinctCounts::DistinctCounts(const GoldMerge& merge, const GoldSources& sources,
                               const tables::RefineStanding& gold, const sql::EngineOptions& engine,
                               SeenIndex* seen)
    : merge_(merge),
      sources_(WithColumns(sources, merge.columns())),
      before_(gold),
      engine_(engine),
      seen_(seen) {
  for (const GoldColumn& column : merge.file().columns) {
    if (column.kind != GoldKind::kDistinct) continue;
    columns_.push_back({.name = column.name, .set = merge.file().name + "." + column.name});
  }
}

DistinctCounts::~DistinctCounts() = default;

// The author and the pass name the commit; the text decides what is hashed.
SeenStamp DistinctCounts::StampOf(const tables::RefineStanding& gold) const {
  return {.pass = gold.pass.value_or(0),
          .version = 0,
          .commit_id = std::to_string(gold.author.value_or(0)) + "/" + merge_.file().hash};
}

Result<std::shared_ptr<arrow::RecordBatch>> DistinctCounts::Count(
    const std::shared_ptr<arrow::RecordBatch>& part) {
  auto counted = part;
  for (Column& column : columns_) {
    column.counted.clear();
    if (seen_->stamp(column.set) != StampOf(before_)) {
      // From now on it holds what the table holds: nothing yet, each date once it is needed.
      ARROW_RETURN_NOT_OK(seen_->Forget(column.set));
      ARROW_RETURN_NOT_OK(seen_->Stamp(column.set, StampOf(before_)));
    }
    ARROW_ASSIGN_OR_RAISE(const auto numbers, CountColumn(*part, &column));
    const int index = counted->schema()->GetFieldIndex(column.name);
    ARROW_ASSIGN_OR_RAISE(
        counted, counted->SetColumn(index, arrow::field(column.name, arrow::int64()), numbers));
  }
  return counted;
}

Result<std::shared_ptr<arrow::Array>> DistinctCounts::CountColumn(const arrow::RecordBatch& part,
                                                                  Column* column) {
  ARROW_ASSIGN_OR_RAISE(const SeenValues values,
                        HashValues(merge_.file(), column->name, part, seen_->key()));
  ARROW_ASSIGN_OR_RAISE(const auto by_date, RowsByDate(part));
  std::vector<Date> dates(static_cast<size_t>(part.num_rows()));
  for (const auto& [date, rows] : by_date) {
    for (const int32_t row : rows) dates[static_cast<size_t>(row)] = date;
  }
  std::map<Date, std::vector<int32_t>> rows;
  for (size_t i = 0; i < values.rows.size(); ++i) {
    const Date date = dates[static_cast<size_t>(values.rows[i])];
    column->counted[date].push_back(values.hashes[i]);
    rows[date].push_back(values.rows[i]);
  }
  std::vector<int64_t> counts(static_cast<size_t>(part.num_rows()));
  for (const auto& [date, hashes] : column->counted) {
    const auto rebuild = [&](const SeenIndex::Take& take) {
      return Rebuild(date, column->name, take);
    };
    ARROW_ASSIGN_OR_RAISE(const auto seen, seen_->Contains(column->set, date, hashes, rebuild));
    for (size_t i = 0; i < seen.size(); ++i) {
      if (!seen[i]) ++counts[static_cast<size_t>(rows[date][i])];
    }
  }
  arrow::Int64Builder builder;
  ARROW_RETURN_NOT_OK(builder.AppendValues(counts));
  return builder.Finish();
}

bool DistinctCounts::MayHaveRows(Date date) const {
  const auto pass = std::make_shared<arrow::Int64Scalar>(before_.pass.value_or(0));
  const auto rows = lake::FilePredicate::AllOf(
      {OfDates({date}), lake::ColumnRange{.column = kRefinePass, .most = pass}});
  return HasFile(*sources_.silver, rows) || HasFile(*sources_.rejects, rows);
}

Status DistinctCounts::Rebuild(Date date, const std::string& column, const SeenIndex::Take& take) {
  if (!MayHaveRows(date)) return Status::OK();
  if (scan_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(scan_, GoldScan::Open(sources_, before_.pass.value_or(0), engine_));
    ARROW_ASSIGN_OR_RAISE(values_, scan_->session()->Prepare(merge_.values()));
  }
  scan_->NarrowTo({date});
  ARROW_ASSIGN_OR_RAISE(const auto stream, values_.front().Stream());
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto rows, stream->Next());
    if (rows == nullptr) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(auto hashes, HashRowValues(merge_.file(), column, *rows, seen_->key()));
    ARROW_RETURN_NOT_OK(take(std::move(hashes)));
  }
}

Status DistinctCounts::Committed(const tables::RefineStanding& gold) {
  for (const Column& column : columns_) {
    for (const auto& [date, hashes] : column.counted) {
      ARROW_RETURN_NOT_OK(seen_->Insert(column.set, date, hashes));
    }
    ARROW_RETURN_NOT_OK(seen_->Stamp(column.set, StampOf(gold)));
  }
  return Status::OK();
}

}  // namespace shopstream::refine
