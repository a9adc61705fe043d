#include "sql/session.h"

#include <gmock/gmock.h>

#include <thread>

#include "sql/testing.h"

namespace shopstream::sql {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class SessionTest : public testing::SqlTest {
 protected:
  std::string Error(const SqlText& sql) {
    const auto queries = session_->Prepare(sql);
    return queries.ok() ? "" : queries.status().message();
  }
};

TEST_F(SessionTest, StreamsInOrderWithItsSchema) {
  auto queries = session_->Prepare(
      {"SELECT i AS n, CAST(i AS DECIMAL(18,2)) AS d, CAST(sum(i) OVER () AS HUGEINT) AS h, "
       "TIMESTAMPTZ '2025-10-24 00:00:00+00' AS t FROM range(5000) r(i) ORDER BY i DESC",
       "", 1});
  ASSERT_TRUE(queries.ok()) << queries.status();
  auto stream = queries->front().Stream();
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_EQ("n: int64\nd: decimal128(18, 2)\nh: decimal128(38, 0)\nt: timestamp[us, tz=UTC]",
            (*stream)->schema()->ToString());
  int64_t rows = 0, expected = 4999;
  while (const auto batch = (*stream)->Next().ValueOrDie()) {
    EXPECT_LE(batch->num_rows(), 2048);
    for (int64_t i = 0; i < batch->num_rows(); ++i) {
      ASSERT_EQ(std::to_string(expected--), ValueText(*batch->column(0), i));
    }
    rows += batch->num_rows();
  }
  EXPECT_EQ(5000, rows);
}

// Types that no table has.
TEST_F(SessionTest, ExpressionsOfEveryTypeHaveAText) {
  EXPECT_EQ(R"({"a": 1},6f1e0b0a-8a70-4b9c-9a3f-0d8f0a5b7a11,b,[1, NULL],12:30:00.000000)",
            Ask("SELECT CAST('{\"a\": 1}' AS JSON), CAST('6f1e0b0a-8a70-4b9c-9a3f-0d8f0a5b7a11' AS "
                "UUID), CAST('b' AS ENUM('a', 'b')), CAST([1, NULL] AS INTEGER[2]), "
                "TIME '12:30:00'"));
  for (const char* expression :
       {"TIMESTAMP_NS '2025-10-24 00:00:00'", "union_value(a := 1)", "NULL", "MAP {1: 'x'}",
        "[[1], [2]]", "DATE 'infinity'", "CAST(md5_number('a') AS VARCHAR)",
        "CAST(INTERVAL '1' DAY AS VARCHAR)"}) {
    EXPECT_THAT(Ask(std::string("SELECT ") + expression), ::testing::Not(HasSubstr("Error")))
        << expression;
  }
  for (const char* expression :
       {"INTERVAL '1' DAY", "CAST('101' AS BIT)", "TIMETZ '12:00:00+02'", "md5_number('a')",
        "CAST('12345678901234567890123456789' AS VARINT)", "CAST(1 AS UHUGEINT)"}) {
    EXPECT_THAT(Ask(std::string("SELECT ") + expression + " AS x"),
                HasSubstr("column x has a type that cannot be printed: CAST it to VARCHAR"))
        << expression;
  }
}

TEST_F(SessionTest, SeveralStatementsAreThoseOfTheText) {
  auto queries = session_->Prepare({"SELECT 1; -- one\nSELECT 2;\n", "", 1});
  ASSERT_TRUE(queries.ok()) << queries.status();
  ASSERT_EQ(2U, queries->size());
  for (int i = 0; i < 2; ++i) {
    const auto stream = (*queries)[static_cast<size_t>(i)].Stream().ValueOrDie();
    EXPECT_EQ(std::to_string(i + 1), *testing::ReadAll(stream.get()));
  }
  EXPECT_EQ("x.sql has no SQL statement", Error({"-- nothing\n", "x.sql", 1}));
}

TEST_F(SessionTest, ErrorsNameFileAndLine) {
  Add("t", {{"amount", arrow::int64(), "[1]"}});
  EXPECT_THAT(Error({"SELECT 1;\n\nSELECT\n  amout FROM t", "x.sql", 10}),
              StartsWith("x.sql:13: Binder Error: Referenced column \"amout\" not found"));
  EXPECT_THAT(Error({"SELECT 1;\nSELECT\n  amout\nFROM t\nLIMIT 1;\nSELECT 1", "x.sql", 1}),
              StartsWith("x.sql:3: Binder Error: "));
  EXPECT_THAT(Error({"SELECT 1;\nSELEC 2", "x.sql", 1}),
              StartsWith("x.sql:2: Parser Error: syntax error at or near \"SELEC\""));
  EXPECT_THAT(Error({"SELECT 1\nFROM nothing", "", 1}),
              StartsWith("line 2: Catalog Error: Table with name nothing does not exist!"));
  EXPECT_THAT(Error({"SELECT amout FROM t", "", 1}), StartsWith("Binder Error: "));
}

TEST_F(SessionTest, AnErrorInTheMiddleOfAStreamIsNotItsEnd) {
  EXPECT_THAT(Ask("SELECT CAST(CASE WHEN i = 900000 THEN 'x' ELSE '1' END AS INTEGER) FROM "
                  "range(1000000) t(i)"),
              HasSubstr("Could not convert string 'x' to INT32"));
}

TEST_F(SessionTest, ATableIsRegisteredAfterAStatementWasParsed) {
  ASSERT_TRUE(session_->Parse("SELECT 1").ok());
  Add("t", {{"n", arrow::int64(), "[1, 2]"}});
  EXPECT_EQ("1;2", Ask("SELECT n FROM t ORDER BY n"));
}

TEST_F(SessionTest, AnInterruptStopsTheStatementAndNotTheSession) {
  for (const char* sql : {"SELECT count(*) FROM range(10000000) a, range(1000000) b",
                          "SELECT a.range, b.range FROM range(10000000) a, range(1000000) b"}) {
    auto queries = session_->Prepare({sql, "", 1}).ValueOrDie();
    bool done = false;
    std::mutex mutex;
    std::thread interrupter([&] {
      for (;;) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        const std::lock_guard lock(mutex);
        if (done) return;
        session_->Interrupt();
      }
    });
    Status status;
    if (auto stream = queries.front().Stream(); stream.ok()) {
      for (;;) {
        const auto batch = (*stream)->Next();
        status = batch.status();
        if (!batch.ok() || *batch == nullptr) break;
      }
    } else {
      status = stream.status();
    }
    {
      const std::lock_guard lock(mutex);
      done = true;
    }
    interrupter.join();
    EXPECT_TRUE(status.IsCancelled()) << sql << ": " << status;
    EXPECT_EQ("1", Ask("SELECT 1"));
  }
}

TEST_F(SessionTest, QueriesOfEveryForm) {
  Add("t", {{"region", arrow::utf8(), R"(["EU", "US", "EU"])"}});
  EXPECT_EQ("2", Ask("FROM (SELECT DISTINCT region FROM t) SELECT count(*)"));
  EXPECT_EQ("1,2", Ask("VALUES (1, 2)"));
  EXPECT_EQ("3", Ask("WITH x AS (SELECT * FROM t) SELECT count(*) FROM x"));
  EXPECT_EQ("2,1", Ask("PIVOT t ON region IN ('EU', 'US') USING count(*)"));
  EXPECT_THAT(Ask("PIVOT t ON region USING count(*)"), HasSubstr("list their values"));
  EXPECT_THAT(Ask("DESCRIBE t"), StartsWith("region,VARCHAR,"));
  EXPECT_THAT(Ask("SUMMARIZE t"), StartsWith("region,VARCHAR,EU,US,"));
  EXPECT_EQ("t", Ask("SHOW TABLES"));
  EXPECT_THAT(Ask("EXPLAIN SELECT * FROM t"), HasSubstr("SCAN_T"));
  EXPECT_THAT(Ask("EXPLAIN ANALYZE SELECT * FROM t"), HasSubstr("Total Time"));
  EXPECT_THAT(Ask("EXPLAIN (FORMAT json) SELECT * FROM t"), HasSubstr("SCAN_T"));
}

}  // namespace
}  // namespace shopstream::sql
