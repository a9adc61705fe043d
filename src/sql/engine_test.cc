#include "sql/engine.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "base/error_kind.h"
#include "sql/testing.h"

namespace shopstream::sql {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class EngineTest : public testing::SqlTest {};

TEST_F(EngineTest, NothingOutsideCanBeReadOrWritten) {
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "engine_test.csv";
  std::ofstream(file) << "a\n1\n";
  const std::string name = "'" + file.string() + "'";
  for (const std::string& sql : {
           "SELECT * FROM read_csv(" + name + ")",
           "SELECT * FROM read_text(" + name + ")",
           "SELECT * FROM read_blob(" + name + ")",
           "SELECT * FROM read_parquet(" + name + ")",
           "SELECT * FROM read_json(" + name + ")",
           "SELECT * FROM parquet_metadata(" + name + ")",
           "SELECT * FROM sniff_csv(" + name + ")",
           "SELECT * FROM " + name,
           std::string("SELECT * FROM glob('/*')"),
           "COPY (SELECT 1) TO " + name,
           "EXPORT DATABASE " + name,
           "IMPORT DATABASE " + name,
           "ATTACH " + name,
           std::string("ATTACH ':memory:' AS other"),
           std::string("INSTALL httpfs"),
           std::string("LOAD httpfs"),
           std::string("LOAD '/tmp/x.duckdb_extension'"),
           std::string("SELECT * FROM 'https://127.0.0.1/x.parquet'"),
           std::string("SELECT getenv('HOME')"),
       }) {
    EXPECT_THAT(Ask(sql), ::testing::AnyOf(HasSubstr("Error:"), HasSubstr("only read"))) << sql;
  }
  std::ifstream unchanged(file);
  EXPECT_EQ("a\n1\n", std::string(std::istreambuf_iterator<char>(unchanged), {}));
  std::filesystem::remove(file);
}

TEST_F(EngineTest, NothingCanBeChanged) {
  Add("t", {{"n", arrow::int64(), "[1]"}});
  for (const char* sql : {"SET threads = 8",
                          "SET enable_external_access = true",
                          "SET TimeZone = 'Asia/Tokyo'",
                          "RESET TimeZone",
                          "PRAGMA threads = 8",
                          "PRAGMA enable_profiling",
                          "SET VARIABLE x = 1",
                          "CREATE TABLE x (n INTEGER)",
                          "CREATE TEMP TABLE x AS SELECT 1",
                          "CREATE MACRO f(x) AS x",
                          "CREATE SECRET (TYPE s3)",
                          "DROP VIEW t",
                          "INSERT INTO t VALUES (2)",
                          "DELETE FROM t",
                          "UPDATE t SET n = 2",
                          "BEGIN",
                          "CHECKPOINT",
                          "VACUUM",
                          "ANALYZE",
                          "CALL pragma_version()",
                          "PREPARE p AS SELECT 1",
                          "EXECUTE p",
                          "USE memory",
                          "COMMENT ON VIEW t IS 'x'",
                          "ALTER VIEW t RENAME TO u",
                          "DETACH memory",
                          "CALL enable_logging()"}) {
    EXPECT_THAT(Ask(sql), ::testing::AnyOf(HasSubstr("Error:"), HasSubstr("queries only read")))
        << sql;
  }
  EXPECT_EQ("1", Ask("SELECT n FROM t"));
  EXPECT_EQ("Etc/UTC,false,true,[]",
            Ask("SELECT current_setting('TimeZone'), current_setting('enable_external_access'), "
                "current_setting('lock_configuration'), current_setting('allowed_paths')"));
}

TEST_F(EngineTest, TheSpillFolderIsPrivateAndNotReachedBySql) {
  const std::string folder = Ask("SELECT current_setting('temp_directory')");
  namespace fs = std::filesystem;
  EXPECT_EQ(fs::perms::owner_all, fs::status(folder).permissions());
  EXPECT_THAT(folder, StartsWith(fs::temp_directory_path().string()));
  const std::string inside = "'" + folder + "/x.csv'";
  EXPECT_THAT(Ask("COPY (SELECT 1) TO " + inside), HasSubstr("COPY is not allowed"));
  EXPECT_THAT(Ask("EXPLAIN ANALYZE COPY (SELECT 1) TO " + inside),
              HasSubstr("EXPLAIN what is a query"));
  EXPECT_THAT(Ask("EXPLAIN /* x */ ANALYZE -- y\n COPY (SELECT 1) TO " + inside),
              HasSubstr("EXPLAIN what is a query"));
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST_F(EngineTest, RowsAboveTheMemoryLimitSpillAndLeaveNothingBehind) {
  Start({.memory_bytes = int64_t{32} << 20, .threads = 1});
  const std::string folder = Ask("SELECT current_setting('temp_directory')");
  EXPECT_EQ("800000,800000",
            Ask("SELECT max(place), count(text) FROM (SELECT md5(CAST(i AS VARCHAR)) AS text, "
                "row_number() OVER (ORDER BY text) AS place FROM range(800000) t(i))"));
  session_.reset();
  engine_.reset();
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(EngineTest, ASpillFolderThatCannotBeUsedIsNamedAndADeletedOneIsMadeAgain) {
  namespace fs = std::filesystem;
  Start({.memory_bytes = int64_t{32} << 20, .threads = 1});
  const std::string folder = Ask("SELECT current_setting('temp_directory')");
  const std::string spills =
      "SELECT max(place), count(text) FROM (SELECT md5(CAST(i AS VARCHAR)) AS text, "
      "row_number() OVER (ORDER BY text) AS place FROM range(800000) t(i))";
  fs::remove_all(folder);
  std::ofstream(folder) << "in its place";
  auto queries = session_->Prepare({spills, "", 1});
  ASSERT_TRUE(queries.ok()) << queries.status();
  const Status failed = queries->front().Stream().status();
  EXPECT_TRUE(IsUnavailable(failed)) << failed;
  EXPECT_THAT(failed.message(), HasSubstr("cannot be kept in " + folder));
  EXPECT_THAT(failed.message(), HasSubstr("set TMPDIR"));
  fs::remove(folder);
  Ask(spills);
  EXPECT_EQ("800000,800000", Ask(spills)) << "at the latest after an error";
}

TEST_F(EngineTest, WhatDoesNotFitIsAnErrorWithoutAdviceToChangeSettings) {
  Start({.memory_bytes = int64_t{16} << 20, .threads = 1});
  const std::string error =
      Ask("SELECT len(list(md5(CAST(i AS VARCHAR)))) FROM range(5000000) t(i)");
  EXPECT_THAT(error, StartsWith("Out of Memory Error: "));
  EXPECT_THAT(error, ::testing::Not(HasSubstr("SET ")));
}

TEST_F(EngineTest, NamesOfSparkAreKnown) {
  EXPECT_EQ("1761290130,1761290130123456,true",
            Ask("SELECT unix_seconds(t), unix_micros(t), regexp_like('abc', '^a') FROM (SELECT "
                "TIMESTAMPTZ '2025-10-24 07:15:30.123456+00' AS t)"));
  EXPECT_EQ("-1", Ask("SELECT unix_seconds(TIMESTAMPTZ '1969-12-31 23:59:59.5+00')"));
}

TEST_F(EngineTest, ATemporaryFolderThatCannotBeUsedIsNamed) {
  const char* const given = std::getenv("TMPDIR");
  const std::string old = given == nullptr ? "" : given;
  setenv("TMPDIR", "/nonexistent", 1);
  const auto engine = Engine::Open({});
  given == nullptr ? unsetenv("TMPDIR") : setenv("TMPDIR", old.c_str(), 1);
  EXPECT_THAT(engine.status().message(), HasSubstr("set TMPDIR"));
}

}  // namespace
}  // namespace shopstream::sql
