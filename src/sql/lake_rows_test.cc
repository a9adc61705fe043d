#include "sql/lake_rows.h"

#include <gmock/gmock.h>

#include "base/error_kind.h"
#include "lake/testing.h"
#include "sql/testing.h"

namespace shopstream::sql {
namespace {

using ::testing::HasSubstr;

class LakeRowsTest : public lake::testing::LakeTest {
 protected:
  // The newest version as table "t" of a new engine.
  void Open(int threads = 2) {
    session_.reset();
    engine_.reset();
    rows_ = std::make_unique<LakeRows>(store_.get(), lake::testing::kPath, table_->snapshot());
    engine_ = Engine::Open({.threads = threads}).ValueOrDie();
    session_ = engine_->Connect().ValueOrDie();
    const Status status = session_->Register("t", rows_.get());
    ASSERT_TRUE(status.ok()) << status;
  }
  std::string Ask(const std::string& sql) { return testing::Ask(session_.get(), sql); }
  void TearDown() override {
    session_.reset();
    engine_.reset();
  }

  std::unique_ptr<LakeRows> rows_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Session> session_;
};

TEST_F(LakeRowsTest, ReadsEveryRowOfAllFiles) {
  Append(0, 10, "EU");
  Append(10, 70'000, "US");
  Append(70'010, 5, "EU");
  Open();
  EXPECT_EQ("70015,0,70014,2451015105,23339",
            Ask("SELECT count(n), min(n), max(n), CAST(sum(n) AS BIGINT), "
                "count(*) FILTER (WHERE name IS NULL) FROM t"));
  EXPECT_EQ("EU,15;US,70000", Ask("SELECT region, count(name) + count(*) FILTER (WHERE name IS "
                                  "NULL) FROM t GROUP BY region ORDER BY region"));
  EXPECT_EQ("name-7,7,EU", Ask("SELECT name, n, region FROM t WHERE n = 7"));
}

TEST_F(LakeRowsTest, CountsAndPartitionColumnsComeFromTheLog) {
  Append(0, 10, "EU");
  Append(10, 70'000, "US");
  Open();
  EXPECT_EQ("70010", Ask("SELECT count(*) FROM t"));
  EXPECT_EQ("EU,10;US,70000",
            Ask("SELECT region, count(*) FROM t GROUP BY region ORDER BY region"));
  EXPECT_EQ(0, rows_->stats().files_read);
  EXPECT_EQ(0, rows_->stats().bytes_read);
  EXPECT_EQ(2, rows_->stats().files);
  Ask("SELECT max(n) FROM t");
  EXPECT_EQ(2, rows_->stats().files_read);
  EXPECT_GT(rows_->stats().bytes_read, 1000);
}

TEST_F(LakeRowsTest, AFileThatIsReadTwiceCountsOnce) {
  Append(0, 10, "EU");
  Append(10, 10, "US");
  Open();
  EXPECT_EQ("19,0", Ask("SELECT (SELECT max(n) FROM t), (SELECT min(n) FROM t)"));
  EXPECT_EQ(2, rows_->stats().files_read);
  rows_->Narrow({});
  EXPECT_EQ(0, rows_->stats().files_read);
}

TEST_F(LakeRowsTest, RowsThatTheLogDoesNotCountAreCounted) {
  DataFile file = WriteFile(0, 10);
  file.statistics.clear();
  file.rows = -1;
  Commit({file});
  Reopen();
  Open();
  EXPECT_EQ(std::nullopt, rows_->row_count());
  EXPECT_EQ("10", Ask("SELECT count(*) FROM t"));
  EXPECT_EQ(1, rows_->stats().files_read);
}

TEST_F(LakeRowsTest, AnEmptyTableHasNoRows) {
  Open();
  EXPECT_EQ("0", Ask("SELECT count(*) FROM t"));
  EXPECT_EQ("", Ask("SELECT * FROM t"));
}

TEST_F(LakeRowsTest, AFileThatIsGoneIsNamedWithItsVersion) {
  const DataFile file = Append(0);
  Delete(std::string(lake::testing::kPath) + "/" + file.path);
  Open();
  const std::string error = Ask("SELECT max(n) FROM t");
  EXPECT_THAT(error, HasSubstr(file.path));
  EXPECT_THAT(error, HasSubstr("version 1 of bronze-events needs it"));
  EXPECT_THAT(error, HasSubstr("shopstream table verify bronze-events"));
}

TEST_F(LakeRowsTest, AStoreThatFailsIsThatError) {
  Append(0, 10, "EU");
  Append(10, 10, "US");
  Open();
  store_->On(simulate::Operation::kOpenInput).Skipping(1).FailsBefore();
  auto queries = session_->Prepare({"SELECT max(n) FROM t", "", 1}).ValueOrDie();
  const Status status = queries.front().Stream().status();
  EXPECT_TRUE(IsUnavailable(status)) << status;
  EXPECT_EQ("19", Ask("SELECT max(n) FROM t"));
}

}  // namespace
}  // namespace shopstream::sql
