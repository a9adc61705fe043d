#include "sql/sql_text.h"

#include <gtest/gtest.h>

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
            SqlError(kBinder, {"a\nb\nc", "gold/x.sql", 10}).message());
  EXPECT_EQ("x.sql: Invalid Input Error: no place",
            SqlError("Invalid Input Error: no place", {"a\nb", "x.sql", 1}).message());
}

TEST(SqlError, WithoutAFileTheLineIsNamedIfThereAreSeveral) {
  EXPECT_EQ(std::string("line 3: ") + kWithoutPlace,
            SqlError(kBinder, {"a\nb\nc", "", 1}).message());
  EXPECT_EQ(kWithoutPlace, SqlError(kBinder, {"a", "", 1}).message());
}

TEST(SqlError, AdviceAboutSettingsIsLeftOut) {
  const Status status = SqlError(
      "Out of Memory Error: failed to allocate data of size 2.0 MiB (15.9 MiB/16.0 MiB used)\n\n"
      "Possible solutions:\n* Reducing the number of threads (SET threads=X)\n",
      {"SELECT 1", "", 1});
  EXPECT_TRUE(status.IsOutOfMemory());
  EXPECT_EQ("Out of Memory Error: failed to allocate data of size 2.0 MiB (15.9 MiB/16.0 MiB used)",
            status.message());
}

TEST(SqlError, AnInterruptIsNoFault) {
  const Status status = SqlError("INTERRUPT Error: Interrupted!", {"SELECT 1", "x.sql", 1});
  EXPECT_TRUE(status.IsCancelled());
  EXPECT_EQ("the query was interrupted", status.message());
}

}  // namespace
}  // namespace shopstream::sql
