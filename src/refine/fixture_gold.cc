#include "refine/fixture_gold.h"

#include <arrow/array/array_nested.h>
#include <arrow/array/array_primitive.h>
#include <arrow/array/builder_primitive.h>

#include <utility>

#include "refine/all_rows.h"
#include "refine/fixture_compare.h"
#include "refine/gold_sql.h"

namespace shopstream::refine {
namespace {

using Rows = std::shared_ptr<arrow::RecordBatch>;

constexpr int32_t kRowsPerSplit = 3;  // One goes to the first pass.
constexpr int64_t kFixtureRowsExpected = 100;

std::string KeyText(const GoldFile& file, const arrow::RecordBatch& part, int64_t row) {
  std::string text;
  for (const std::string& key : file.Keys()) {
    const std::string value = FixtureText(*part.GetColumnByName(key), row);
    text += std::to_string(value.size()) + ":" + value;
  }
  return text;
}

// How many values the lists of a distinct column have, by key.
std::map<std::string, int64_t> CountValues(const GoldFile& file, const arrow::RecordBatch& part,
                                           const std::string& column) {
  std::map<std::string, int64_t> counts;
  const auto& lists = static_cast<const arrow::ListArray&>(*part.GetColumnByName(column));
  for (int64_t row = 0; row < part.num_rows(); ++row) {
    if (lists.IsNull(row)) continue;
    const auto values = lists.value_slice(row);
    counts[KeyText(file, part, row)] = values->length() - values->null_count();
  }
  return counts;
}

// The part with the number of values that the table did not have yet in place of each list.
// `before` and `after`: what the table had, and then has, as lists.
Result<Rows> WithNewValues(const GoldFile& file, const Rows& part, const arrow::RecordBatch& before,
                           const arrow::RecordBatch& after) {
  Rows counted = part;
  for (const GoldColumn& column : file.columns) {
    if (column.kind != GoldKind::kDistinct) continue;
    auto old = CountValues(file, before, column.name), all = CountValues(file, after, column.name);
    arrow::Int64Builder numbers;
    for (int64_t row = 0; row < part->num_rows(); ++row) {
      const std::string key = KeyText(file, *part, row);
      ARROW_RETURN_NOT_OK(numbers.Append(all[key] - old[key]));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, numbers.Finish());
    const int index = counted->schema()->GetFieldIndex(column.name);
    ARROW_ASSIGN_OR_RAISE(
        counted, counted->SetColumn(index, arrow::field(column.name, arrow::int64()), array));
  }
  return counted;
}

std::vector<int32_t> Split(const std::vector<int32_t>& positions, bool first) {
  std::vector<int32_t> part;
  for (const int32_t position : positions) {
    if ((position % kRowsPerSplit == 0) == first) part.push_back(position);
  }
  return part;
}

Result<Rows> InTwoPasses(GoldMerge* merge, const FixtureVerdicts& all) {
  const GoldFile& file = merge->file();
  const auto aggregate = [&](const std::vector<int32_t>& silver,
                             const std::vector<int32_t>& rejects) {
    return merge->Aggregate({all.rows, silver}, {all.rows, rejects});
  };
  ARROW_ASSIGN_OR_RAISE(const Rows none, aggregate({}, {}));
  ARROW_ASSIGN_OR_RAISE(const Rows first,
                        aggregate(Split(all.silver, true), Split(all.open_rejects, true)));
  ARROW_ASSIGN_OR_RAISE(const Rows second,
                        aggregate(Split(all.silver, false), Split(all.open_rejects, false)));
  ARROW_ASSIGN_OR_RAISE(const Rows both, aggregate(all.silver, all.open_rejects));
  ARROW_ASSIGN_OR_RAISE(const Rows first_part, WithNewValues(file, first, *none, *first));
  ARROW_ASSIGN_OR_RAISE(const Rows second_part, WithNewValues(file, second, *first, *both));
  ARROW_ASSIGN_OR_RAISE(const Rows empty, arrow::RecordBatch::MakeEmpty(merge->schema()));
  ARROW_ASSIGN_OR_RAISE(const Rows old, merge->Merge(empty, first_part));
  return merge->Merge(old, second_part);
}

Status SetFixtureRows(const Rows& rows, const std::vector<int32_t>& positions,
                      sql::MemoryRows* to) {
  arrow::ArrayVector columns;
  for (const std::string& name : to->schema()->field_names()) {
    columns.push_back(rows->GetColumnByName(name));
  }
  return to->Set(arrow::RecordBatch::Make(to->schema(), rows->num_rows(), std::move(columns)),
                 positions);
}

}  // namespace

FixtureGold::FixtureGold(std::vector<GoldFile> files, RefineColumns columns)
    : columns_(std::move(columns)),
      silver_(columns_.silver, kFixtureRowsExpected),
      rejects_(columns_.rejects, kFixtureRowsExpected) {
  for (GoldFile& file : files) {
    std::string name = file.name;
    gold_.emplace(std::move(name), Gold{.file = std::move(file)});
  }
}

std::vector<std::string> FixtureGold::Tables() const {
  std::vector<std::string> tables;
  for (const auto& [name, gold] : gold_) tables.push_back(name);
  return tables;
}

Status FixtureGold::OpenEngine() {
  if (session_ != nullptr) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(engine_, sql::Engine::Open({}));
  ARROW_ASSIGN_OR_RAISE(session_, engine_->Connect());
  ARROW_RETURN_NOT_OK(session_->Register("silver_events", &silver_));
  return session_->Register("silver_rejects", &rejects_);
}

Status FixtureGold::Open(Gold* gold) {
  if (gold->merge != nullptr) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(gold->merge, GoldMerge::Open(gold->file, columns_, {}));
  ARROW_RETURN_NOT_OK(OpenEngine());
  ARROW_ASSIGN_OR_RAISE(gold->batch, session_->Prepare(GoldBatchSql(gold->file)));
  return Status::OK();
}

Result<FixtureGoldRows> FixtureGold::Compute(const std::string& table,
                                             const FixtureVerdicts& verdicts) {
  Gold& gold = gold_.at(table);
  ARROW_RETURN_NOT_OK(Open(&gold));
  ARROW_RETURN_NOT_OK(SetFixtureRows(verdicts.rows, verdicts.silver, &silver_));
  ARROW_RETURN_NOT_OK(SetFixtureRows(verdicts.rows, verdicts.open_rejects, &rejects_));
  FixtureGoldRows rows;
  ARROW_ASSIGN_OR_RAISE(rows.batch, AllRows(&gold.batch.front()));
  ARROW_ASSIGN_OR_RAISE(rows.passes, InTwoPasses(gold.merge.get(), verdicts));
  return rows;
}

}  // namespace shopstream::refine
