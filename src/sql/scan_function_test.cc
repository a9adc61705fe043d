#include "sql/scan_function.h"

#include <gmock/gmock.h>

#include "base/error_kind.h"
#include "sql/testing.h"

namespace shopstream::sql {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ScanFunctionTest : public testing::SqlTest {
 protected:
  testing::BatchRows* AddSmall() {
    return Add("small", {{"n", arrow::int64(), "[1, 2, 3, 4, 5, 6, 7]"},
                         {"name", arrow::utf8(), R"(["a", "b", "c", "d", "e", "f", "g"])"},
                         {"odd \"name\"", arrow::int32(), "[1, 1, 1, 1, 1, 1, 1]"}});
  }
};

TEST_F(ScanFunctionTest, OnlyTheColumnsThatAQueryNeedsAreAskedFor) {
  auto* const rows = AddSmall();
  EXPECT_EQ("28", Ask("SELECT CAST(sum(n) AS BIGINT) FROM small"));
  EXPECT_EQ("g", Ask("SELECT max(name) FROM small"));
  EXPECT_EQ("g", Ask("SELECT name FROM small WHERE n = 7"));
  EXPECT_THAT(rows->opened, ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(0, 1)));
}

TEST_F(ScanFunctionTest, ACountAsksForNoColumn) {
  auto* const rows = AddSmall();
  EXPECT_EQ("7", Ask("SELECT count(*) FROM small"));
  EXPECT_THAT(rows->opened, ElementsAre(IsEmpty()));
}

TEST_F(ScanFunctionTest, TheTableHasItsColumnsAndNoOther) {
  AddSmall();
  EXPECT_EQ("1,a,1", Ask("SELECT * FROM small ORDER BY n LIMIT 1"));
  EXPECT_EQ("n;name;odd \"name\"", Ask("SELECT column_name FROM (DESCRIBE small)"));
}

TEST_F(ScanFunctionTest, AStatementMayScanATableTwice) {
  AddSmall();
  EXPECT_EQ("49", Ask("SELECT count(*) FROM small a, small b"));
  EXPECT_EQ("7,28", Ask("SELECT count(*), CAST(sum(a.n) AS BIGINT) FROM small a JOIN small b "
                        "USING (n) WHERE b.n > 0"));
}

TEST_F(ScanFunctionTest, AFailureKeepsItsKindAndMessage) {
  auto* const rows = AddSmall();
  rows->fails_after = 3;
  rows->failure = Unavailable("the store does not answer");
  const auto failed = [&](const std::string& sql) {
    auto queries = session_->Prepare({sql, "x.sql", 1});
    EXPECT_TRUE(queries.ok());
    auto stream = queries->front().Stream();
    return stream.ok() ? testing::ReadAll(stream->get()).status() : stream.status();
  };
  for (const char* sql : {"SELECT count(*) FROM small", "SELECT n FROM small",
                          "SELECT name, count(*) FROM small GROUP BY name"}) {
    const Status status = failed(sql);
    EXPECT_EQ("the store does not answer", status.message()) << sql;
    EXPECT_TRUE(IsUnavailable(status));
  }
  rows->fails_after = -1;
  EXPECT_EQ("7", Ask("SELECT count(*) FROM small"));
}

TEST(Quoted, DoublesQuotes) { EXPECT_EQ("\"a \"\"b\"\"\"", Quoted("a \"b\"")); }

}  // namespace
}  // namespace shopstream::sql
