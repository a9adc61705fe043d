#include "sql/sql_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/error_kind.h"

namespace shopstream::sql {
namespace {

constexpr char kBinder[] =
    "Binder Error: Referenced column \"amout\" not found in FROM clause!\n"
    "Candidate bindings: \"amount\", \"currency\"\n\n"
    "LINE 3:   amout FROM t\n"
    "          ^";
constexpr char kWithoutPlace[] =
    "Binder Error: Referenced column \"amout\" not found in FROM clause! Candidate bindings: "
    "\"amount\", \"currency\"";

TEST(SqlError, NamesTheFileAndItsLine) {
  EXPECT_EQ(std::string("gold/x.sql:12: ") + kWithoutPlace,
            SqlError(kBinder, {"a\nb\nc", "gold/x.sql", 10}, "/tmp/s").message());
  EXPECT_EQ("x.sql: Invalid Input Error: no place",
            SqlError("Invalid Input Error: no place", {"a\nb", "x.sql", 1}, "/tmp/s").message());
}

TEST(SqlError, WithoutAFileTheLineIsNamedIfThereAreSeveral) {
  EXPECT_EQ(std::string("line 3: ") + kWithoutPlace,
            SqlError(kBinder, {"a\nb\nc", "", 1}, "/tmp/s").message());
  EXPECT_EQ(kWithoutPlace, SqlError(kBinder, {"a", "", 1}, "/tmp/s").message());
}

TEST(SqlError, AdviceAboutSettingsIsLeftOut) {
  const Status status = SqlError(
      "Out of Memory Error: failed to allocate data of size 2.0 MiB (15.9 MiB/16.0 MiB used)\n\n"
      "Possible solutions:\n* Reducing the number of threads (SET threads=X)\n",
      {"SELECT 1", "", 1}, "/tmp/s");
  EXPECT_TRUE(status.IsOutOfMemory());
  EXPECT_EQ("Out of Memory Error: failed to allocate data of size 2.0 MiB (15.9 MiB/16.0 MiB used)",
            status.message());
}

TEST(SqlError, AnInterruptIsNoFault) {
  const Status status =
      SqlError("INTERRUPT Error: Interrupted!", {"SELECT 1", "x.sql", 1}, "/tmp/s");
  EXPECT_TRUE(status.IsCancelled());
  EXPECT_EQ("the query was interrupted", status.message());
}

TEST(SqlError, AFullDiskIsWorthARetryAndNamesTheFolderAndTheSetting) {
  for (const std::string message :
       {"IO Error: Could not write file \"/tmp/s-1/duckdb_temp_block-1.block\": No space left on "
        "device",
        "Out of Memory Error: failed to offload data block of size 256.0 KiB (1.0 GiB/1.0 GiB "
        "used).\nThis limit was set by the 'max_temp_directory_size' setting."}) {
    const Status status = SqlError(message, {"SELECT 1", "x.sql", 1}, "/tmp/s-1");
    EXPECT_TRUE(IsUnavailable(status)) << status;
    EXPECT_THAT(status.message(),
                ::testing::AllOf(::testing::StartsWith("rows that do not fit into memory cannot be "
                                                       "kept in /tmp/s-1: x.sql: "),
                                 ::testing::EndsWith("set TMPDIR to a larger folder")));
  }
}

}  // namespace
}  // namespace shopstream::sql
