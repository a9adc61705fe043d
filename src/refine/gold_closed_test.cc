#include "refine/gold_closed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "refine/gold_world_testing.h"
#include "tables/refine_task.h"

namespace shopstream::refine {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::kFirstDay;
using testing::RefinedPurchase;

class GoldClosedTest : public testing::GoldWorld {
 protected:
  void Use(const std::string& columns, const std::string& select) {
    file_ = ParseGold("test", {columns + "-- aggregate\n" + select, "test.sql", 1}).ValueOrDie();
    merge_ = GoldMerge::Open(file_, columns_, {}).ValueOrDie();
  }
  // Another key, `orders` is a decimal, `users` as before, and nothing else.
  void UseOtherText() {
    Use("-- key: date, product_id\n-- orders: add\n-- users: distinct user_id\n",
        "SELECT date, product_id, CAST(count(*) AS DECIMAL(9,0)) AS orders, count(DISTINCT "
        "user_id) AS users\nFROM silver_events GROUP BY date, product_id\n");
  }
  // Silver loses the days before this one, in the next pass.
  void Close(int day) {
    standing_.pass = *standing_.pass + 1;
    lake::Changes changes;
    for (const DataFile& file : silver_->Refresh().ValueOrDie()->Files()) {
      const Date date = DateOf(file).ValueOrDie();
      if (date && *date < kFirstDay + day) changes.removes.push_back(file);
    }
    changes.txns = tables::RefineTxns(standing_);
    changes.growth = lake::TableGrowth{.columns = silver_->snapshot()->schema(),
                                       .properties = tables::HorizonProperty(kFirstDay + day)};
    ASSERT_TRUE(silver_->Commit(lake::Unconditionally(changes), In(Millis{20'000})).ok());
    closed_ = day;
  }
  // Built, then the first two days are closed, which no pass of Gold follows.
  void Prepare() {
    AddPass({{.user = 1}, {.user = 2, .day = 1}, {.user = 1, .day = {}}, {.user = 2, .day = 2}});
    MustBuild();
    Close(2);
    AddPass({{.user = 3, .day = 2}, {.user = 3, .day = 0, .reasons = "closed_date"}});
  }
  std::vector<RefinedPurchase> OpenRows() const {
    std::vector<RefinedPurchase> rows;
    std::ranges::copy_if(rows_, std::back_inserter(rows), [&](const RefinedPurchase& row) {
      return !row.day || *row.day >= closed_;
    });
    return rows;
  }
  void ExpectOtherText() {
    std::vector<std::string> expected = testing::Batch(file_, OpenRows());
    expected.emplace_back("date=2025-10-24 orders=1 product_id=NULL users=1");
    expected.emplace_back("date=2025-10-25 orders=1 product_id=NULL users=1");
    std::ranges::sort(expected);
    EXPECT_EQ(expected, GoldLines());
    EXPECT_EQ(*standing_.pass, GoldPass());
  }

  int closed_ = 0;
};

TEST_F(GoldClosedTest, ABuildKeepsThem) {
  Prepare();
  MustBuild();
  ExpectGold();
  MustCommit(AddPass({{.user = 4, .day = 2}}));
  ExpectGold();
}

TEST_F(GoldClosedTest, APassDoesNotChangeThem) {
  AddPass({{.user = 1}, {.user = 2, .day = 1}});
  file_ = testing::ProgramFile("quality_daily");
  merge_ = GoldMerge::Open(file_, columns_, {}).ValueOrDie();
  MustBuild();
  Close(1);
  MustBuild();
  const auto rows = rows_;
  MustCommit(AddPass({{.user = 3, .reasons = "closed_date"}}));
  rows_ = rows;
  ExpectGold();
}

TEST_F(GoldClosedTest, AnotherTextKeepsValuesOfTheSameColumns) {
  Prepare();
  UseOtherText();
  MustBuild();
  ExpectOtherText();
  MustCommit(AddPass({{.user = 4, .day = 2}, {.user = 3, .day = 2}}));
  ExpectOtherText();
}

TEST_F(GoldClosedTest, AColumnThatComesBackIsEmptyInThem) {
  Prepare();
  UseOtherText();
  MustBuild();
  Use("-- key: date\n-- usd: add\n",
      "SELECT date, CAST(sum(quantity) AS BIGINT) AS usd FROM silver_events GROUP BY date\n");
  MustBuild();
  EXPECT_THAT(GoldLines(), ::testing::Contains("date=2025-10-24 usd=NULL"));
}

TEST_F(GoldClosedTest, ATypeThatDoesNotFitTheirValuesIsRefused) {
  Prepare();
  const auto before = GoldLines();
  Use("-- key: date\n-- first: add\n",
      "SELECT date, count(*) AS first FROM silver_events GROUP BY date\n");
  EXPECT_THAT(Build().status().message(),
              AllOf(HasSubstr("test.sql:2"), HasSubstr("column first is int64"),
                    HasSubstr("give the column another name")));
  EXPECT_EQ(before, GoldLines());
}

TEST_F(GoldClosedTest, KilledAnywhereTheyAreKept) {
  Prepare();
  UseOtherText();
  const Saved saved = Save();
  for (int call = 0;; call += 2) {
    SCOPED_TRACE("call " + std::to_string(call));
    ASSERT_LT(call, 200);
    Restore(saved);
    bool struck = false;
    KillAt(call, &struck);
    const auto built = BuildGold(testing::kGoldPath, *merge_,
                                 {store_.get(), testing::kSilverPath, testing::kRejectsPath,
                                  silver_->snapshot(), rejects_->snapshot()},
                                 standing_, {.commit_within = Millis{50}});
    EXPECT_TRUE(!struck || !built.ok() || *built != PassOutcome::kDone) << "it is dead";
    store_->Heal();
    MustBuild();
    ExpectOtherText();
    if (!struck || HasFatalFailure()) break;
  }
}

// It would come back otherwise.
TEST_F(GoldClosedTest, WhatAnEraseTookMeanwhileStaysAway) {
  Start(testing::ProgramFile("customer_daily"));
  Prepare();
  MustBuild();
  const ClosedDates closed = ClosedDates::Of(*silver_->snapshot()).ValueOrDie();
  const auto kept = KeepClosedGold(*gold_, file_, closed, {}).ValueOrDie();
  EXPECT_TRUE(*kept.AreLiveIn(*gold_->snapshot(), closed));
  AddPass({});
  const auto erased =
      RestateGold(testing::kGoldPath, *merge_, Sources(), standing_, {}, {.erase = "user_id = 1"});
  ASSERT_TRUE(erased.ok() && *erased == PassOutcome::kDone) << erased.status();
  EXPECT_FALSE(*kept.AreLiveIn(*gold_->Refresh().ValueOrDie(), closed));
}

// Its name alone would take it for the user.
TEST_F(GoldClosedTest, AnEraseIsNotDecidedByAKeyThatIsComputed) {
  const std::string columns = "-- key: date, user_id\n-- orders: add\n";
  const std::string counted = "count(*) AS orders\nFROM ";
  const std::string grouped = " GROUP BY date, user_id\n";
  for (const auto& [select, decided] : std::vector<std::pair<std::string, bool>>{
           {"SELECT date, user_id, " + counted + "silver_events" + grouped, true},
           {"SELECT date, user_id + 1 AS user_id, " + counted + "silver_events" + grouped, false},
           {"SELECT date, user_id, " + counted + "(SELECT date, user_id FROM silver_events)" +
                grouped,
            true},
           {"SELECT date, user_id, " + counted +
                "(SELECT date, user_id FROM silver_events UNION ALL SELECT date, user_id + 1 AS "
                "user_id FROM silver_rejects)" +
                grouped,
            false}}) {
    SCOPED_TRACE(select);
    Start(ParseGold("test", {columns + "-- aggregate\n" + select, "test.sql", 1}).ValueOrDie());
    Prepare();
    MustBuild();
    const ClosedDates closed = ClosedDates::Of(*silver_->snapshot()).ValueOrDie();
    const auto kept =
        KeepClosedGold(*gold_, file_, closed, {.erase = "user_id = 999"}).ValueOrDie();
    EXPECT_EQ(decided, kept.erased.has_value());
  }
}

}  // namespace
}  // namespace shopstream::refine
