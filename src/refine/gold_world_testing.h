#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lake/delta/table.h"
#include "refine/gold_build.h"
#include "refine/gold_files.h"
#include "refine/gold_pass.h"
#include "refine/gold_testing.h"
#include "refine/seen_index.h"
#include "simulate/memory_pages.h"

namespace shopstream::refine::testing {

inline constexpr char kGoldPath[] = "gold-metrics/test";

inline GoldFile ProgramFile(const std::string& name) {
  const auto files = LoadGoldFiles("").ValueOrDie();
  return *std::ranges::find(files, name, &GoldFile::name);
}

// Every kind of column.
inline GoldFile AllKinds() {
  return ParseGold("test", {R"(-- key: date, region
-- orders: add
-- usd: add
-- first: min
-- last: max
-- users: distinct user_id
-- products: distinct product_id
-- share: derived
-- aggregate
SELECT date, region, count(*) AS orders, CAST(sum(amount_usd) AS DECIMAL(18,2)) AS usd,
  min(product_name) AS first, max(product_name) AS last, count(DISTINCT user_id) AS users,
  count(DISTINCT product_id) AS products
FROM silver_events GROUP BY date, region
-- derive
SELECT date, region, orders, usd, first, last, users, products,
  rank() OVER (PARTITION BY date ORDER BY usd DESC NULLS LAST, region NULLS FIRST) AS share
FROM aggregated
)",
                            "test.sql", 1})
      .ValueOrDie();
}

// Silver, rejects and one Gold table in a store that fails on request.
class GoldWorld : public ::testing::Test {
 protected:
  void SetUp() override { Start(AllKinds()); }

  // Begins anew.
  void Start(const GoldFile& file) {
    file_ = file;
    merge_ = GoldMerge::Open(file_, columns_, {}).ValueOrDie();
    rows_.clear();
    standing_ = {};
    standing_.author = 77;
    OpenStore({});
  }

  // The lake as it is, to begin from it again and again.
  struct Saved {
    std::map<std::string, std::shared_ptr<arrow::Buffer>> objects;
    std::vector<RefinedPurchase> rows;
    tables::RefineStanding standing;
  };
  Saved Save() {
    Saved saved{.objects = {}, .rows = rows_, .standing = standing_};
    for (const auto& object : store_->inner()->List("", "").ValueOrDie()) {
      saved.objects[object.path] = store_->inner()->Get(object.path).ValueOrDie();
    }
    return saved;
  }
  // The index of seen values is lost.
  void Restore(const Saved& saved) {
    rows_ = saved.rows;
    standing_ = saved.standing;
    OpenStore(saved.objects);
    auto gold = lake::Table::Open(store_.get(), kGoldPath);
    if (gold.ok()) gold_ = *std::move(gold);
  }

  void OpenStore(const std::map<std::string, std::shared_ptr<arrow::Buffer>>& objects) {
    gold_.reset();
    silver_.reset();
    rejects_.reset();
    store_ = std::make_unique<simulate::FaultyStore>(std::make_unique<simulate::MemoryStore>());
    for (const auto& [path, content] : objects) {
      ASSERT_TRUE(store_->inner()->Put(path, *content).ok());
    }
    silver_ =
        lake::Table::OpenOrCreate(store_.get(), SilverSpec(kSilverPath, columns_)).ValueOrDie();
    rejects_ =
        lake::Table::OpenOrCreate(store_.get(), RejectsSpec(kRejectsPath, columns_)).ValueOrDie();
    pages_ = std::make_unique<simulate::MemoryPages>();
    OpenIndex();
  }
  void OpenIndex() { seen_ = SeenIndex::Open(pages_.get(), {.table_id = "silver"}).ValueOrDie(); }
  // As a program that starts.
  void Reopen() {
    OpenIndex();
    gold_ = lake::Table::Open(store_.get(), kGoldPath).ValueOrDie();
  }

  static BootClock::time_point In(Millis time) { return BootClock::now() + time; }

  // Commits the next pass to rejects and Silver; `gold` is what it gives to Gold.
  GoldInput AddPass(std::vector<RefinedPurchase> rows) {
    standing_.pass = standing_.pass.value_or(0) + 1;
    const auto batch = PassBatch(rows, *standing_.pass);
    Write(rejects_.get(), *columns_.rejects, batch, PositionsOf(rows, true), {tables::kDate});
    Write(silver_.get(), *columns_.silver, batch, PositionsOf(rows, false),
          {kRegion, tables::kDate});
    GoldInput input{.standing = standing_,
                    .silver = {batch, PositionsOf(rows, false)},
                    .rejects = {batch, PositionsOf(rows, true)}};
    rows_.insert(rows_.end(), rows.begin(), rows.end());
    return input;
  }

  GoldSources Sources() {
    return {store_->inner(), kSilverPath, kRejectsPath,
            lake::Table::Open(store_->inner(), kSilverPath).ValueOrDie()->snapshot(),
            lake::Table::Open(store_->inner(), kRejectsPath).ValueOrDie()->snapshot()};
  }

  Result<PassOutcome> Build() {
    GoldSources sources = Sources();
    sources.store = store_.get();
    return BuildGold(kGoldPath, *merge_, sources, standing_, {.group_rows = 50});
  }
  void MustBuild() {
    const auto built = Build();
    ASSERT_TRUE(built.ok()) << built.status();
    ASSERT_EQ(PassOutcome::kDone, *built);
    gold_ = lake::Table::Open(store_.get(), kGoldPath).ValueOrDie();
  }

  Result<PassOutcome> Commit(const GoldInput& input, Millis time = Millis{20'000}) {
    return CommitGold(gold_.get(), merge_.get(), Sources(), seen_.get(), input,
                      {.merge_rows = 40, .deadline = In(time), .commit_within = time});
  }
  void MustCommit(const GoldInput& input) {
    const auto outcome = Commit(input);
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    ASSERT_EQ(PassOutcome::kDone, *outcome);
  }

  // From this call of the store on, the program is dead: of the call itself, by its number,
  // nothing, everything but the reply, or a part happens. `struck`: whether there was such a call.
  void KillAt(int call, bool* struck) {
    *struck = false;
    simulate::Fault& last =
        store_->OnAny().Skipping(call).Calls([struck](const std::string&) { *struck = true; });
    switch (call % 3) {
      case 0:
        last.FailsBefore();
        break;
      case 1:
        last.LosesReply();
        break;
      default:
        last.TearsWrite();
    }
    store_->OnAny().Skipping(call).FailsBefore().Always();
  }

  // The table as a reader finds it.
  std::vector<std::string> GoldLines() {
    const auto snapshot = lake::Table::Open(store_->inner(), kGoldPath).ValueOrDie()->snapshot();
    const auto rows = ReadRows(store_->inner(), kGoldPath, snapshot->Files(), snapshot->schema());
    EXPECT_TRUE(rows.ok()) << rows.status();
    return Lines(**rows);
  }
  int64_t GoldPass() {
    const auto table = lake::Table::Open(store_->inner(), kGoldPath);
    return table.ok() ? tables::RefinePass(*(*table)->snapshot()).value_or(-1) : -2;
  }
  // Gold is what all rows in one batch give.
  void ExpectGold() { EXPECT_EQ(GoldLines(), Batch(file_, rows_)) << "pass " << GoldPass(); }

  const RefineColumns columns_ = GoldColumns();
  GoldFile file_;
  std::vector<RefinedPurchase> rows_;  // Of all passes.
  tables::RefineStanding standing_;
  std::unique_ptr<simulate::FaultyStore> store_;
  std::unique_ptr<lake::Table> silver_, rejects_, gold_;
  std::unique_ptr<simulate::MemoryPages> pages_;
  std::unique_ptr<SeenIndex> seen_;
  std::unique_ptr<GoldMerge> merge_;

 private:
  void Write(lake::Table* table, const arrow::Schema& schema,
             const std::shared_ptr<arrow::RecordBatch>& batch,
             const std::vector<int32_t>& positions, const std::vector<std::string>& partition) {
    arrow::FieldVector fields;
    arrow::ArrayVector columns;
    for (const auto& field : schema.fields()) {
      if (std::ranges::find(partition, field->name()) != partition.end()) continue;
      fields.push_back(field);
      columns.push_back(batch->GetColumnByName(field->name()));
    }
    const auto stored = arrow::RecordBatch::Make(arrow::schema(fields), batch->num_rows(), columns);
    std::map<PartitionValues, std::vector<int32_t>> by_partition;
    for (const int32_t row : positions) {
      PartitionValues values;
      for (const std::string& column : partition) {
        const auto array = batch->GetColumnByName(column);
        values.emplace_back(
            column, array->IsNull(row) ? std::nullopt : std::optional(sql::ValueText(*array, row)));
      }
      by_partition[values].push_back(row);
    }
    std::vector<lake::PartitionRows> partitions;
    for (const auto& [values, rows] : by_partition) partitions.push_back({values, rows});
    lake::Changes changes;
    changes.written_since = BootClock::now();
    if (!partitions.empty()) {
      changes.adds =
          lake::WriteDataFiles(store_->inner(), table->path(), stored, partitions).ValueOrDie();
    }
    changes.txns = tables::RefineTxns(standing_);
    const auto result = table->Commit(lake::Unconditionally(changes), In(Millis{20'000}));
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(lake::CommitOutcome::kCommitted, result->outcome) << result->detail;
  }
};

}  // namespace shopstream::refine::testing
