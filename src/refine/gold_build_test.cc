#include "refine/gold_build.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lake/parquet/parquet_file.h"
#include "refine/gold_table.h"
#include "refine/gold_tables.h"
#include "refine/gold_world_testing.h"

namespace shopstream::refine {
namespace {

using ::testing::HasSubstr;

class GoldBuildTest : public testing::GoldWorld {
 protected:
  void AddPasses() {
    AddPass({{.user = 1}, {.user = 2, .day = 1}, {.user = 1, .day = {}}});
    AddPass({{.user = 3, .day = 1}, {.region = {}, .reasons = "duplicate"}});
    AddPass({{.user = 1, .day = 4}, {.day = 9, .reasons = "positive_amount"}});
  }
  // Another key, no `first` and `share`, and `orders` is a decimal.
  static GoldFile OtherText() {
    return ParseGold("test", {R"(-- key: date, product_id
-- orders: add
-- users: distinct user_id
-- aggregate
SELECT date, product_id, CAST(count(*) AS DECIMAL(9,0)) AS orders, count(DISTINCT user_id) AS users
FROM silver_events GROUP BY date, product_id
)",
                              "test.sql", 1})
        .ValueOrDie();
  }
  void Use(const GoldFile& file) {
    file_ = file;
    merge_ = GoldMerge::Open(file_, columns_, {}).ValueOrDie();
  }
};

TEST_F(GoldBuildTest, AnAbsentTableIsBuiltFromAllRows) {
  AddPasses();
  MustBuild();
  EXPECT_EQ(GoldPass(), 3);
  ExpectGold();
  MustCommit(AddPass({{.user = 1}, {.user = 4, .day = 1}}));
  ExpectGold();
}

TEST_F(GoldBuildTest, AnEmptyLakeGivesATableOfPassZero) {
  EXPECT_EQ(GoldPass(), -2);
  MustBuild();
  EXPECT_EQ(GoldPass(), 0);
  EXPECT_TRUE(IsBuilt(*gold_->snapshot(), file_));
  EXPECT_TRUE(GoldLines().empty());
}

// It holds no pass, not even an empty one, however full Silver is.
TEST_F(GoldBuildTest, ATableThatIsMerelyCreatedIsNotBuilt) {
  AddPasses();
  const auto table = lake::Table::OpenOrCreate(store_.get(), {.path = testing::kGoldPath,
                                                              .schema = merge_->schema(),
                                                              .partition_columns = {"date"},
                                                              .properties = {}})
                         .ValueOrDie();
  EXPECT_FALSE(IsBuilt(*table->snapshot(), file_));
  MustBuild();
  ExpectGold();
}

TEST_F(GoldBuildTest, ABuiltTableIsLeftAlone) {
  AddPasses();
  MustBuild();
  const int64_t version = gold_->snapshot()->version();
  MustBuild();
  EXPECT_EQ(gold_->snapshot()->version(), version);
}

TEST_F(GoldBuildTest, ATableThatIsFarBehindIsBuiltAnew) {
  MustBuild();
  AddPasses();
  MustBuild();
  EXPECT_EQ(GoldPass(), 3);
  ExpectGold();
}

TEST_F(GoldBuildTest, AnotherTextReplacesRowsAndColumns) {
  AddPasses();
  MustBuild();
  MustCommit(AddPass({{.user = 8}}));
  Use(OtherText());
  EXPECT_FALSE(IsBuilt(*gold_->snapshot(), file_));
  MustBuild();
  EXPECT_EQ(GoldPass(), 4);
  EXPECT_TRUE(gold_->snapshot()->schema()->Equals(*merge_->schema()))
      << gold_->snapshot()->schema()->ToString();
  ExpectGold();
  // The values seen before were those of another key.
  MustCommit(AddPass({{.user = 1}, {.user = 8}, {.user = 9}, {.user = 9, .product = "P2"}}));
  ExpectGold();
}

TEST_F(GoldBuildTest, PassesThatOnlyRejectsHoldAreLeftOut) {
  AddPasses();
  const auto before = standing_;
  const std::vector<testing::RefinedPurchase> rows = rows_;
  AddPass({{.user = 5}, {.reasons = "duplicate"}});
  standing_ = before;
  Use(testing::ProgramFile("quality_daily"));
  MustBuild();
  EXPECT_EQ(GoldPass(), 3);
  EXPECT_EQ(GoldLines(), testing::Batch(file_, rows));
}

TEST_F(GoldBuildTest, KilledAnywhere) {
  AddPasses();
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
                                 standing_, {.group_rows = 2, .commit_within = Millis{50}});
    EXPECT_TRUE(!struck || !built.ok() || *built != PassOutcome::kDone) << "it is dead";
    store_->Heal();
    MustBuild();
    EXPECT_EQ(GoldPass(), 3);
    ExpectGold();
    if (!struck || HasFatalFailure()) break;
  }
}

TEST_F(GoldBuildTest, TwoRefinesBuildItOnce) {
  AddPasses();
  const Saved saved = Save();
  for (int call = 0;; call += 2) {
    SCOPED_TRACE(call);
    ASSERT_LT(call, 100);
    Restore(saved);
    bool struck = false;
    store_->OnAny().Skipping(call).Calls([&](const std::string&) {
      struck = true;
      const auto built = BuildGold(testing::kGoldPath, *merge_, Sources(), standing_, {});
      ASSERT_TRUE(built.ok()) << built.status();
      EXPECT_EQ(*built, PassOutcome::kDone);
    });
    MustBuild();
    ExpectGold();
    if (!struck || HasFatalFailure()) break;
  }
}

TEST_F(GoldBuildTest, ATableOfSomebodyElseIsRefused) {
  AddPasses();
  const auto table = lake::Table::OpenOrCreate(store_.get(), {.path = testing::kGoldPath,
                                                              .schema = merge_->schema(),
                                                              .partition_columns = {"date"},
                                                              .properties = {}})
                         .ValueOrDie();
  const auto rows = testing::PassBatch({{}}, 1);
  lake::Changes changes;
  changes.written_since = BootClock::now();
  changes.adds = {lake::WriteDataFile(store_->inner(), testing::kGoldPath, {{"date", "2025-10-24"}},
                                      *rows->SelectColumns({0}))
                      .ValueOrDie()};
  ASSERT_TRUE(table->Commit(lake::Unconditionally(changes), In(Millis{20'000})).ok());
  EXPECT_THAT(Build().status().message(),
              ::testing::AllOf(HasSubstr("gold-metrics/test has rows, but refine did not make it"),
                               HasSubstr("test.sql")));
  EXPECT_EQ(
      lake::Table::Open(store_.get(), testing::kGoldPath).ValueOrDie()->snapshot()->file_count(),
      1);
}

// Bronze has the column, Silver will have it with its first rows.
TEST_F(GoldBuildTest, AColumnThatSilverDoesNotHaveYetIsNull) {
  AddPasses();
  ASSERT_TRUE(silver_->snapshot()->schema()->GetFieldByName("coupon") == nullptr);
  RefineColumns grown = columns_;
  grown.silver = *grown.silver->AddField(0, arrow::field("coupon", arrow::list(arrow::utf8())));
  file_ =
      ParseGold("test", {"-- key: date\n-- n: add\n-- m: add\n-- aggregate\nSELECT date, count(*) "
                         "AS n, count(coupon) AS m FROM silver_events GROUP BY date\n",
                         "test.sql", 1})
          .ValueOrDie();
  merge_ = GoldMerge::Open(file_, grown, {}).ValueOrDie();
  const auto built = BuildGold(testing::kGoldPath, *merge_, Sources(), standing_, {});
  ASSERT_TRUE(built.ok()) << built.status();
  EXPECT_EQ(GoldLines().front(), "date=2025-10-24 m=0 n=1");
  // A pass that another refine made before the column came.
  AddPass({{}});
  gold_ = lake::Table::Open(store_.get(), testing::kGoldPath).ValueOrDie();
  const auto input = ReadGoldInput(Sources(), grown, standing_);
  ASSERT_TRUE(input.ok()) << input.status();
  MustCommit(*input);
  EXPECT_EQ(GoldLines().front(), "date=2025-10-24 m=0 n=2");
}

TEST_F(GoldBuildTest, WrongSqlCreatesNoTable) {
  AddPasses();
  file_ = ParseGold("test", {"-- key: date\n-- n: add\n-- aggregate\nSELECT date, count(x) AS n "
                             "FROM silver_events GROUP BY date\n",
                             "test.sql", 1})
              .ValueOrDie();
  GoldTables tables(store_.get(), seen_.get(), {.folder = "gold-metrics", .engine = {}});
  const GoldSource source{
      .stamp = [] { return std::string(); },
      .read = [this]() -> Result<std::vector<GoldFile>> { return std::vector<GoldFile>{file_}; }};
  EXPECT_THAT(tables.TakeFiles(source, columns_).message(), HasSubstr("test.sql:4"));
  EXPECT_EQ(GoldPass(), -2);
}

}  // namespace
}  // namespace shopstream::refine
