#include "refine/gold_merge.h"

#include <arrow/array/array_nested.h>
#include <arrow/array/builder_primitive.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "refine/gold_files.h"
#include "refine/gold_testing.h"

namespace shopstream::refine {
namespace {

using ::testing::ElementsAre;
using testing::RefinedPurchase;

GoldFile FileOf(const std::string& name) {
  const auto files = LoadGoldFiles("").ValueOrDie();
  return *std::ranges::find(files, name, &GoldFile::name);
}

std::vector<std::string> Sorted(const Result<std::shared_ptr<arrow::RecordBatch>>& rows) {
  EXPECT_TRUE(rows.ok()) << rows.status();
  return testing::Lines(**rows);
}

class GoldMergeTest : public ::testing::Test {
 protected:
  void Open(const std::string& name) {
    auto merge = GoldMerge::Open(FileOf(name), testing::GoldColumns(), {});
    ASSERT_TRUE(merge.ok()) << merge.status();
    merge_ = *std::move(merge);
  }
  std::shared_ptr<arrow::RecordBatch> Aggregate(const std::vector<RefinedPurchase>& rows) {
    const auto batch = testing::PassBatch(rows, 1);
    const auto part = merge_->Aggregate({batch, testing::PositionsOf(rows, false)},
                                        {batch, testing::PositionsOf(rows, true)});
    EXPECT_TRUE(part.ok()) << part.status();
    return *part;
  }
  std::shared_ptr<arrow::RecordBatch> NoRows() {
    return arrow::RecordBatch::MakeEmpty(merge_->stored()).ValueOrDie();
  }

  std::unique_ptr<GoldMerge> merge_;
};

TEST_F(GoldMergeTest, OldRowsAndAPartBecomeTheRowsOfTheTable) {
  Open("product_daily");
  const auto first = Aggregate({{.name = "Tea", .cents = 1000}, {.name = "Black tea"}});
  const auto table = *merge_->Merge(NoRows(), first);
  EXPECT_THAT(testing::Lines(*table),
              ElementsAre("category=Food date=2025-10-24 orders=2 product_id=P1 product_name=Black "
                          "tea rank=1 revenue_usd=20.00 units=2"));
  const auto second = Aggregate({{.product = "P2", .name = {}, .category = {}, .cents = 5000},
                                 {.name = "Zen tea", .quantity = 7, .cents = 1}});
  EXPECT_THAT(Sorted(merge_->Merge(table, second)),
              ElementsAre("category=Food date=2025-10-24 orders=3 product_id=P1 product_name=Black "
                          "tea rank=2 revenue_usd=20.01 units=9",
                          "category=NULL date=2025-10-24 orders=1 product_id=P2 product_name=NULL "
                          "rank=1 revenue_usd=50.00 units=1"));
}

TEST_F(GoldMergeTest, RowsAreSortedByDateAndKey) {
  Open("product_daily");
  const auto part = Aggregate({{.day = 1, .product = "B"},
                               {.day = 0, .product = "C"},
                               {.day = 1, .product = {}},
                               {.day = {}, .product = "A"},
                               {.day = 1, .product = "A"}});
  const auto table = *merge_->Merge(NoRows(), part);
  std::string order;
  for (int64_t i = 0; i < table->num_rows(); ++i) {
    const auto date = table->GetColumnByName("date");
    const auto product = table->GetColumnByName("product_id");
    order += (date->IsNull(i) ? "null" : sql::ValueText(*date, i).substr(8)) + ":" +
             (product->IsNull(i) ? "null" : sql::ValueText(*product, i)) + " ";
  }
  EXPECT_EQ(order, "null:A 24:C 25:null 25:A 25:B ");
}

TEST_F(GoldMergeTest, DistinctColumnsAreListsUntilTheyAreCounted) {
  Open("revenue_hourly");
  const auto part = Aggregate({{.user = 7}, {.user = 7}, {.user = 8}, {.user = {}}});
  ASSERT_EQ(part->num_rows(), 1);
  const auto lists = part->GetColumnByName("customers");
  ASSERT_EQ(lists->type_id(), arrow::Type::LIST);
  const auto& list = static_cast<const arrow::ListArray&>(*lists);
  EXPECT_LE(list.value_length(0), 3) << "each value once; null may be among them";
}

TEST_F(GoldMergeTest, AveragesAreRoundedHalfAwayFromZeroInCents) {
  Open("revenue_hourly");
  const auto average = [&](std::vector<int64_t> cents) {
    std::vector<RefinedPurchase> rows;
    for (const int64_t amount : cents) rows.push_back({.cents = amount});
    const auto lines = testing::Batch(merge_->file(), rows);
    EXPECT_EQ(lines.size(), 1u);
    return lines[0].substr(0, lines[0].find(' '));
  };
  EXPECT_EQ(average({1000, 1001}), "average_order_value=10.01") << "10.005";
  EXPECT_EQ(average({201, 0}), "average_order_value=1.01") << "1.005";
  EXPECT_EQ(average({-1000, -1001}), "average_order_value=-10.01");
  EXPECT_EQ(average({100, 100, 101}), "average_order_value=1.00");
  EXPECT_EQ(average({100, 101, 101}), "average_order_value=1.01");
  EXPECT_EQ(average({10'000'000'000, 10'000'000'000}), "average_order_value=100000000.00");
}

TEST_F(GoldMergeTest, QualityAddsUp) {
  Open("quality_daily");
  const std::vector<RefinedPurchase> rows = {{.delay_seconds = 5},
                                             {.delay_seconds = 4000, .late = true},
                                             {.delay_seconds = {}},
                                             {.reasons = "duplicate"},
                                             {.reasons = "positive_amount,quantity_range"},
                                             {.late = true, .reasons = "not_computable"}};
  EXPECT_THAT(Sorted(merge_->Merge(NoRows(), Aggregate(rows))),
              ElementsAre("bronze_rows=6 date=2025-10-24 duplicate_rows=1 late_rows=1 "
                          "max_delay_seconds=4000 rejected_rows=2 silver_rows=3"));
}

TEST_F(GoldMergeTest, AMissingColumnIsNotTakenForAnEmptyOne) {
  Open("customer_daily");
  const auto batch = testing::PassBatch({{}}, 1);
  const auto without = *batch->RemoveColumn(batch->schema()->GetFieldIndex("user_id"));
  EXPECT_EQ(merge_->Aggregate({without}, {batch}).status().message(),
            "the rows have no column user_id: this is a bug");
}

TEST_F(GoldMergeTest, AFailureWhileRowsAreReadNamesTheFile) {
  GoldFile file =
      ParseGold("x", {"-- key: date\n-- n: add\n-- aggregate\n"
                      "SELECT date, CAST(sum(CAST(product_id AS BIGINT)) AS BIGINT) AS n\n"
                      "FROM silver_events GROUP BY date\n",
                      "x.sql", 1})
          .ValueOrDie();
  merge_ = GoldMerge::Open(file, testing::GoldColumns(), {}).ValueOrDie();
  const auto batch = testing::PassBatch({{}}, 1);
  EXPECT_THAT(merge_->Aggregate({batch}, {batch}).status().message(),
              ::testing::StartsWith("x.sql"));
}

}  // namespace
}  // namespace shopstream::refine
