#include "sql/catalog.h"

#include <gmock/gmock.h>

#include "base/clock.h"
#include "base/runtime.h"
#include "lake/testing.h"
#include "sql/engine.h"
#include "sql/testing.h"
#include "tables/refine_state.h"

namespace shopstream::sql {
namespace {

class CatalogTest : public lake::testing::LakeTest {};

TEST(SqlNames, AreThePathsAsNames) {
  Config config;
  EXPECT_THAT(
      SqlNames({"bronze-events", "bronze-quarantine", "clicks/raw", "gold-metrics/x-y"}, config),
      ::testing::ElementsAre(::testing::Pair("bronze_events", "bronze-events"),
                             ::testing::Pair("bronze_quarantine", "bronze-quarantine"),
                             ::testing::Pair("clicks_raw", "clicks/raw"),
                             ::testing::Pair("gold_x_y", "gold-metrics/x-y")));
  config.lake.bronze_table = "clicks";
  EXPECT_THAT(SqlNames({"bronze-events", "clicks"}, config),
              ::testing::ElementsAre(::testing::Pair("bronze-events", "bronze-events"),
                                     ::testing::Pair("bronze_events", "clicks"),
                                     ::testing::Pair("clicks", "clicks")));
}

TEST_F(CatalogTest, OpensTheTablesThatAStatementNames) {
  Append(0, 10);
  ASSERT_TRUE(lake::Table::Create(store_.get(),
                                  [] {
                                    lake::TableSpec spec = lake::testing::SmallSpec();
                                    spec.path = "other-events";
                                    return spec;
                                  }())
                  .ok());
  const auto catalog = Catalog::Open(store_.get(), {}).ValueOrDie();
  const auto engine = Engine::Open({}).ValueOrDie();
  const auto session = engine->Connect().ValueOrDie();
  const auto ask = [&](const std::string& sql) {
    const Status status = catalog->Register(sql, session.get());
    return status.ok() ? testing::Ask(session.get(), sql) : status.message();
  };
  EXPECT_EQ("1", ask("SELECT 1"));
  EXPECT_TRUE(catalog->open().empty());
  EXPECT_EQ("10", ask("SELECT count(*) FROM Bronze_Events"));
  ASSERT_EQ(1U, catalog->open().size());
  EXPECT_EQ(1, catalog->open().at("bronze_events").version);
  EXPECT_EQ("bronze_events;other_events", ask("SHOW TABLES"));
  const Status missing = Status::Invalid(ask("SELECT 1 FROM bronze_event"));
  EXPECT_EQ("there is no table bronze_event; did you mean 'bronze_events'?",
            catalog->Explained(missing).message());
  EXPECT_EQ("x.sql:2: there is no table z; the lake has bronze_events, other_events",
            catalog
                ->Explained(Status::Invalid(
                    "x.sql:2: Catalog Error: Table with name z does not exist! Did you"))
                .message());
  EXPECT_EQ("as it is", catalog->Explained(Status::Invalid("as it is")).message());
}

// Silver, rejects and Gold with a row for each pass.
class RefinedCatalogTest : public CatalogTest {
 protected:
  void Pass(const std::string& path, int64_t pass) {
    lake::TableSpec spec = lake::testing::SmallSpec();
    spec.path = path;
    const auto table = lake::Table::OpenOrCreate(store_.get(), spec).ValueOrDie();
    lake::Changes changes;
    changes.adds = {Fake(1)};
    changes.adds[0].path = "region=EU/pass-" + std::to_string(pass) + ".parquet";
    changes.written_since = BootClock::now();
    tables::RefineStanding standing;
    standing.pass = pass;
    standing.complete_through_ms = pass * 1000;
    changes.txns = tables::RefineTxns(standing);
    const auto result =
        table->Commit(lake::Unconditionally(std::move(changes)), BootClock::now() + Millis{20'000});
    ASSERT_TRUE(result.ok()) << result.status();
  }
  void PassAll(int64_t pass) {
    for (const char* path : {"silver-rejects", "silver-events", "gold-metrics/a"}) Pass(path, pass);
  }
  // "rows of silver,rejects,gold_a,bronze", and the pass.
  std::string Counts(const ReadVersions& versions = {}) {
    auto catalog = Catalog::Open(store_.get(), {}, versions);
    if (!catalog.ok()) return catalog.status().message();
    const auto engine = Engine::Open({}).ValueOrDie();
    const auto session = engine->Connect().ValueOrDie();
    const std::string sql =
        "SELECT (SELECT count(*) FROM silver_events), (SELECT count(*) FROM silver_rejects), "
        "(SELECT count(*) FROM gold_a), (SELECT count(*) FROM bronze_events)";
    const Status registered = (*catalog)->Register(sql, session.get());
    if (!registered.ok()) return registered.message();
    return testing::Ask(session.get(), sql) + " at " + std::to_string((*catalog)->complete()->pass);
  }
};

TEST_F(RefinedCatalogTest, SilverAndGoldAreReadAtTheLastPassThatAllHave) {
  Append(0, 10);
  for (int64_t pass = 1; pass <= 3; ++pass) PassAll(pass);
  EXPECT_EQ("3,3,3,10 at 3", Counts());
  Pass("silver-rejects", 4);
  Append(10, 10);
  EXPECT_EQ("3,3,3,20 at 3", Counts());
  Pass("silver-events", 4);
  EXPECT_EQ("3,3,3,20 at 3", Counts());
  Pass("gold-metrics/a", 4);
  EXPECT_EQ("4,4,4,20 at 4", Counts());
}

TEST_F(RefinedCatalogTest, AVersionThatIsAskedForIsRead) {
  Append(0, 10);
  PassAll(1);
  PassAll(2);
  Pass("silver-rejects", 3);
  EXPECT_EQ("1,3,2,10 at 2",
            Counts({.as_of_ms = {}, .tables = {{"silver_events", 1}, {"silver_rejects", 3}}}));
}

TEST_F(RefinedCatalogTest, AnEarlierTimeHasItsOwnPass) {
  Append(0, 10);
  PassAll(1);
  PassAll(2);
  Sleep(Millis{5});
  const int64_t then = WallClockMillis();
  Sleep(Millis{5});
  PassAll(3);
  EXPECT_EQ("3,3,3,10 at 3", Counts());
  EXPECT_EQ("2,2,2,10 at 2", Counts({.as_of_ms = then, .tables = {}}));
}

TEST_F(RefinedCatalogTest, WithoutARefineThereIsNoSilver) {
  const auto catalog = Catalog::Open(store_.get(), {}).ValueOrDie();
  for (const char* name : {"silver_events", "Gold_Revenue"}) {
    EXPECT_EQ(std::string("there is no table ") + name + " yet: fill it with `shopstream refine`",
              catalog
                  ->Explained(Status::Invalid("Catalog Error: Table with name ", name,
                                              " does not exist! Did you"))
                  .message());
  }
}

}  // namespace
}  // namespace shopstream::sql
