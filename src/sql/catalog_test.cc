#include "sql/catalog.h"

#include <gmock/gmock.h>

#include "lake/testing.h"
#include "sql/engine.h"
#include "sql/testing.h"

namespace shopstream::sql {
namespace {

class CatalogTest : public lake::testing::LakeTest {};

TEST(SqlNames, AreThePathsAsNames) {
  LakeConfig config;
  EXPECT_THAT(
      SqlNames({"bronze-events", "bronze-quarantine", "clicks/raw", "gold-metrics/x-y"}, config),
      ::testing::ElementsAre(::testing::Pair("bronze_events", "bronze-events"),
                             ::testing::Pair("bronze_quarantine", "bronze-quarantine"),
                             ::testing::Pair("clicks_raw", "clicks/raw"),
                             ::testing::Pair("gold_x_y", "gold-metrics/x-y")));
  config.bronze_table = "clicks";
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

}  // namespace
}  // namespace shopstream::sql
