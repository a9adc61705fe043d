#include "sql/memory_rows.h"

#include <gtest/gtest.h>

#include <vector>

#include "sql/testing.h"

namespace shopstream::sql {
namespace {

class MemoryRowsTest : public testing::SqlTest {
 protected:
  static std::shared_ptr<arrow::RecordBatch> Batch(const std::string& numbers,
                                                   const std::string& names) {
    return testing::Rows({{"n", arrow::int64(), numbers}, {"name", arrow::utf8(), names}});
  }

  MemoryRows rows_{Batch("[]", "[]")->schema(), 1000};
};

TEST_F(MemoryRowsTest, AStatementReadsTheRowsOfTheMoment) {
  ASSERT_TRUE(session_->Register("t", &rows_).ok());
  auto query = session_->Prepare({"SELECT name, n FROM t ORDER BY n", "", 1}).ValueOrDie();
  const auto answer = [&] {
    return testing::ReadAll(query.front().Stream().ValueOrDie().get()).ValueOrDie();
  };
  EXPECT_EQ("", answer());
  ASSERT_TRUE(rows_.Set(Batch("[1, 2]", R"(["a", null])")).ok());
  EXPECT_EQ("a,1;NULL,2", answer());
  ASSERT_TRUE(rows_.Set(Batch("[3]", R"(["c"])")).ok());
  EXPECT_EQ("c,3", answer());
}

TEST_F(MemoryRowsTest, OnlyTheRowsAtTheGivenPositionsAreRead) {
  ASSERT_TRUE(session_->Register("t", &rows_).ok());
  const auto batch = Batch("[1, 2, 3, null]", R"(["a", "b", "c", "d"])");
  ASSERT_TRUE(rows_.Set(batch, std::vector<int32_t>{3, 1}).ok());
  EXPECT_EQ("d,NULL;b,2", Ask("SELECT name, n FROM t"));
  EXPECT_EQ("2", Ask("SELECT count(*) FROM t"));
  ASSERT_TRUE(rows_.Set(batch, std::vector<int32_t>{}).ok());
  EXPECT_EQ("0", Ask("SELECT count(*) FROM t"));
  ASSERT_TRUE(rows_.Set(batch).ok());
  EXPECT_EQ("4", Ask("SELECT count(*) FROM t"));
}

TEST_F(MemoryRowsTest, ThreadsShareManyRowsWithoutLossOrRepetition) {
  Start({.threads = 4});
  ASSERT_TRUE(session_->Register("t", &rows_).ok());
  std::string numbers = "[0", names = "[null";
  std::vector<int32_t> odd;
  for (int32_t n = 1; n < 100'000; ++n) {
    numbers += "," + std::to_string(n);
    names += ",null";
    if (n % 2 == 1) odd.push_back(n);
  }
  const auto batch = Batch(numbers + "]", names + "]");
  ASSERT_TRUE(rows_.Set(batch).ok());
  const std::string sums =
      "SELECT count(*), count(DISTINCT n), CAST(sum(n) AS BIGINT), count(name) FROM t";
  EXPECT_EQ("100000,100000,4999950000,0", Ask(sums));
  ASSERT_TRUE(rows_.Set(batch, odd).ok());
  EXPECT_EQ("50000,50000,2500000000,0", Ask(sums));
}

TEST_F(MemoryRowsTest, RowsOfOtherColumnsAreRefused) {
  const auto batch =
      testing::Rows({{"n", arrow::int32(), "[1]"}, {"name", arrow::utf8(), "[null]"}});
  EXPECT_TRUE(rows_.Set(batch).IsInvalid());
}

}  // namespace
}  // namespace shopstream::sql
