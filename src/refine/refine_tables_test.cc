#include "refine/refine_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "refine/pass_testing.h"
#include "tables/refine_state.h"

namespace shopstream::refine {
namespace {

using ::testing::HasSubstr;

const RefinePaths kPaths{.bronze = testing::kBronze,
                         .rejects = "silver-rejects",
                         .silver = "silver-events",
                         .gold_folder = "gold"};

class RefineTablesTest : public ::testing::Test {
 protected:
  void Delete(const std::string& table) {
    for (const auto& object : *store_.List(table + "/", "")) {
      ASSERT_TRUE(store_.Delete(object.path).ok());
    }
  }
  void HoldPass(lake::Table* table, int64_t pass) {
    tables::RefineStanding standing;
    standing.pass = pass;
    lake::Changes changes;
    changes.txns = tables::RefineTxns(standing);
    testing::Commit(table, lake::Unconditionally(changes));
  }
  std::string Error() { return OpenRefineTables(&store_, kPaths).status().message(); }

  simulate::MemoryStore store_;
};

TEST_F(RefineTablesTest, SilverAndRejectsAreCreatedForBronzesColumns) {
  EXPECT_THAT(Error(),
              HasSubstr("table bronze-events does not exist in memory: `shopstream ingest` "
                        "creates it"));
  const auto bronze = *lake::Table::OpenOrCreate(&store_, testing::BronzeSpec());
  const RefineTables first = *OpenRefineTables(&store_, kPaths);
  EXPECT_NE(nullptr, first.silver->snapshot()->schema()->GetFieldByName("amount_usd"));
  EXPECT_NE(nullptr, first.rejects->snapshot()->schema()->GetFieldByName("reasons"));
  EXPECT_EQ(std::vector<std::string>{"date"}, first.rejects->snapshot()->partition_columns());
}

TEST_F(RefineTablesTest, ABronzeThatHasGrownIsNoProblem) {
  const auto bronze = *lake::Table::OpenOrCreate(&store_, testing::BronzeSpec());
  ASSERT_TRUE(OpenRefineTables(&store_, kPaths).ok());
  auto fields = bronze->snapshot()->schema()->fields();
  fields.insert(fields.begin(), arrow::field("coupon", arrow::utf8()));
  lake::Changes growth;
  growth.growth = lake::TableGrowth{arrow::schema(fields), {}};
  testing::Commit(bronze.get(), lake::Unconditionally(growth));
  EXPECT_TRUE(OpenRefineTables(&store_, kPaths).ok());
}

TEST_F(RefineTablesTest, OneOfTheTwoIsNotCreatedAnewOncePassesWereMade) {
  const auto bronze = *lake::Table::OpenOrCreate(&store_, testing::BronzeSpec());
  for (const std::string missing : {"silver-events", "silver-rejects"}) {
    {
      const RefineTables tables = *OpenRefineTables(&store_, kPaths);
      if (tables::RefinePass(*tables.silver->snapshot()) != 7) HoldPass(tables.silver.get(), 7);
      if (tables::RefinePass(*tables.rejects->snapshot()) != 7) HoldPass(tables.rejects.get(), 7);
    }
    Delete(missing);
    EXPECT_THAT(Error(), HasSubstr("table " + missing + " is missing although"));
    EXPECT_THAT(Error(), HasSubstr("holds pass 7: restore it, or delete both"));
    Delete("silver-events");
    Delete("silver-rejects");
  }
}

}  // namespace
}  // namespace shopstream::refine
