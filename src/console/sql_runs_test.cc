#include "console/sql_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "base/error_kind.h"
#include "console/lake_testing.h"

namespace shopstream::console {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Runs for hours.
constexpr char kEndless[] =
    "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE hash(a.range + b.range) = 1";

class SqlRunsTest : public LakeApiTest {
 protected:
  void Open(const SqlLimits& limits = {}) {
    masking_ = std::make_unique<Masking>(config_.console.mask);
    tables_ = std::make_unique<LakeTables>(config_);
    runs_ = std::make_unique<SqlRuns>(config_, *masking_, tables_.get(), limits);
  }
  nlohmann::ordered_json Run(const std::string& sql, sql::ReadVersions versions = {},
                             int64_t limit = 100) {
    const auto answer = runs_->Run({"q", sql, std::move(versions), limit});
    return answer.ok() ? *answer : nlohmann::ordered_json{{"error", answer.status().message()}};
  }
  std::string Rows(const std::string& sql) {
    const auto answer = Run(sql);
    return answer.contains("rows") ? answer["rows"].dump() : answer.dump();
  }

  std::unique_ptr<SqlRuns> runs_;
};

TEST_F(SqlRunsTest, RowsComeWithTypesAndTheVersionThatWasRead) {
  CreateBronze();
  Ingest({{.id = "a", .offset = 0, .amount = 2.5}});
  Ingest({{.id = "b", .offset = 1}});
  Open();
  const auto answer = Run("SELECT event_id, amount, date FROM bronze_events ORDER BY event_id");
  EXPECT_EQ(R"([["a",2.5,"2025-10-24"],["b",10,"2025-10-24"]])", answer["rows"].dump());
  EXPECT_EQ("DOUBLE", answer["columns"][1]["type"]);
  EXPECT_EQ(nullptr, answer["truncated"]);
  EXPECT_EQ(2, answer["tables"][0]["version"]);
  EXPECT_EQ(2, answer["rows_scanned"]);
  sql::ReadVersions first;
  first.tables = {{"bronze_events", 1}};
  const auto pinned = Run("SELECT count(*) FROM bronze_events", first);
  EXPECT_EQ("[[1]]", pinned["rows"].dump());
  EXPECT_EQ(1, pinned["tables"][0]["version"]);
}

TEST_F(SqlRunsTest, NumbersThatJavaScriptCannotHoldAreTexts) {
  Open();
  EXPECT_EQ(R"([["9007199254740993",12]])", Rows("SELECT 9007199254740993, 12"));
}

TEST_F(SqlRunsTest, ResultsAreCutAndSaySo) {
  Open();
  const auto rows = Run("SELECT * FROM range(1000)", {}, 10);
  EXPECT_EQ(10, rows["rows"].size());
  EXPECT_EQ("rows", rows["truncated"]);
  const auto bytes = Run("SELECT repeat('x', 1000000) FROM range(100)", {}, 100);
  EXPECT_EQ("bytes", bytes["truncated"]);
  EXPECT_LT(bytes["rows"].size(), 20);
}

TEST_F(SqlRunsTest, OnlyReadsAndOnlyTheLakeAreAllowed) {
  CreateBronze();
  Open();
  for (const char* sql : {"CREATE TABLE t (a INT)", "SET threads=1", "COPY (SELECT 1) TO '/tmp/x'",
                          "INSTALL delta", "SELECT 1; SELECT 2", "ATTACH '/tmp/x.db'"}) {
    EXPECT_TRUE(Run(sql).contains("error")) << sql;
  }
  for (const char* sql : {"SELECT * FROM read_parquet('/tmp/*.parquet')",
                          "SELECT * FROM delta_scan('/tmp/x')", "SELECT * FROM '/etc/passwd'",
                          "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM glob('/*')"}) {
    EXPECT_TRUE(Run(sql).contains("error")) << sql;
  }
  EXPECT_THAT(Run("SELECT * FROM bronze_event")["error"].get<std::string>(),
              HasSubstr("did you mean"));
}

TEST_F(SqlRunsTest, MaskedColumnsAreMaskedEverywhere) {
  CreateBronze();
  Ingest({{.id = "a", .offset = 0, .user = 70001}, {.id = "b", .offset = 1, .user = 70002}});
  config_.console.mask = {"USER_ID"};
  Open();
  EXPECT_EQ(R"json([["(hidden)"],["(hidden)"]])json",
            Rows("SELECT user_id AS u FROM bronze_events"));
  EXPECT_EQ("[[0]]", Rows("SELECT count(*) FROM bronze_events WHERE user_id = '70001'"));
  EXPECT_EQ("[[0]]", Rows("SELECT count(*) FROM bronze_events WHERE user_id BETWEEN '7' AND '8'"));
  for (const char* sql :
       {"SELECT * FROM bronze_events", "SELECT min(user_id), max(user_id) FROM bronze_events",
        "SUMMARIZE bronze_events", "EXPLAIN ANALYZE SELECT user_id FROM bronze_events",
        "SELECT count(*) FROM bronze_events WHERE user_id = 70001",
        "SELECT user_id::BIGINT FROM bronze_events", "SELECT * FROM scan_bronze_events()",
        "SELECT * FROM duckdb_columns()"}) {
    const std::string answer = Run(sql).dump();
    EXPECT_THAT(answer, Not(HasSubstr("7000"))) << sql;
  }
  const auto schema = *runs_->Schema();
  EXPECT_TRUE(schema["tables"][0]["columns"][1]["masked"]);
  const HttpReply csv = runs_->Download({"d", "SELECT * FROM bronze_events", {}, 1});
  EXPECT_THAT(*csv.next_piece(), Not(HasSubstr("7000")));
}

TEST_F(SqlRunsTest, AQueryIsCancelledByItsId) {
  Open();
  Result<nlohmann::ordered_json> answer = Status::Invalid("not run");
  std::thread running([&] { answer = runs_->Run({"long", kEndless}); });
  while (!runs_->Cancel("long")) std::this_thread::yield();
  running.join();
  EXPECT_TRUE(answer.status().IsCancelled()) << answer.status();
  EXPECT_THAT(answer.status().message(), HasSubstr("the query was cancelled"));
  EXPECT_FALSE(runs_->Cancel("long"));
}

TEST_F(SqlRunsTest, AQueryThatTakesTooLongIsStopped) {
  Open({.seconds = 1});
  EXPECT_THAT(Run(kEndless)["error"].get<std::string>(), HasSubstr("console.sql_seconds"));
}

TEST_F(SqlRunsTest, TooManyQueriesAreRefused) {
  Open({.queries = 1});
  auto csv = std::make_unique<HttpReply>(runs_->Download({"d", "SELECT * FROM range(9)", {}, 1}));
  const auto refused = runs_->Run({"q", "SELECT 1"});
  EXPECT_TRUE(IsUnavailable(refused.status())) << refused.status();
  csv.reset();
  EXPECT_EQ("[[1]]", Rows("SELECT 1"));
}

TEST_F(SqlRunsTest, ADownloadHasAllRows) {
  Open();
  HttpReply csv = runs_->Download({"d", "SELECT range AS n FROM range(5000)", {}, 1});
  EXPECT_EQ("n\n", csv.body);
  std::string text;
  while (const auto piece = csv.next_piece()) text += *piece;
  EXPECT_EQ(5000, std::ranges::count(text, '\n'));
  EXPECT_THAT(runs_->Download({"d", "SELEC 1", {}, 1}).status, 400);
}

}  // namespace
}  // namespace shopstream::console
