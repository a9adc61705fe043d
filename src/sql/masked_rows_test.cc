#include "sql/masked_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sql/testing.h"

namespace shopstream::sql {
namespace {

using testing::BatchRows;
using ::testing::HasSubstr;
using ::testing::Not;

class MaskedRowsTest : public testing::SqlTest {
 protected:
  void SetUp() override {
    SqlTest::SetUp();
    rows_ = std::make_unique<BatchRows>(
        testing::Rows({{"id", arrow::int64(), "[1, 2, 3, 4]"},
                       {"user", arrow::int64(), "[7001, 7002, 7001, null]"},
                       {"place", arrow::struct_({arrow::field("user", arrow::int64())}),
                        R"([{"user": 7001}, null, {"user": 7003}, {"user": 7001}])"}}));
    masked_ = std::make_unique<MaskedRows>(rows_.get(), std::vector<int>{1, 2});
    ASSERT_TRUE(session_->Register("t", masked_.get()).ok());
  }
  void TearDown() override {
    session_.reset();
    engine_.reset();
  }

  std::unique_ptr<BatchRows> rows_;
  std::unique_ptr<MaskedRows> masked_;
};

TEST_F(MaskedRowsTest, EveryRowHasTheMaskAlsoWhereItIsNull) {
  EXPECT_EQ("1,(hidden),(hidden);2,(hidden),(hidden);3,(hidden),(hidden);4,(hidden),(hidden)",
            Ask("SELECT * FROM t ORDER BY id"));
  EXPECT_EQ("4,1", Ask("SELECT count(*), count(DISTINCT user) FROM t"));
  EXPECT_EQ("0", Ask("SELECT count(*) FROM t WHERE user IS NULL"));
}

TEST_F(MaskedRowsTest, TheValuesAreNotEvenRead) {
  Ask("SELECT user, id FROM t WHERE user <> 'x'");
  for (const auto& columns : rows_->opened) {
    EXPECT_THAT(columns, Not(::testing::Contains(1)));
    EXPECT_THAT(columns, Not(::testing::Contains(2)));
  }
}

// Each tries to get at a value, or at whether two are equal.
TEST_F(MaskedRowsTest, NoStatementGetsRoundIt) {
  const char* attempts[] = {
      "SELECT user AS u FROM t",
      "SELECT u FROM (SELECT user AS u FROM t)",
      "WITH c(u) AS (SELECT user FROM t) SELECT u FROM c",
      "SELECT md5(user) = md5('7001') FROM t",
      "SELECT md5(user) = md5('(hidden)') AND count(*) = 4 FROM t GROUP BY user",
      "SELECT id FROM t WHERE user LIKE '700%'",
      "SELECT id FROM t WHERE user = '7001'",
      "SELECT id FROM t WHERE user IN ('7001', '7002')",
      "SELECT id FROM t ORDER BY user, id",
      "SELECT a.id, b.id FROM t a JOIN t b ON a.user = b.user AND a.id < b.id",
      "SELECT user, count(*) FROM t GROUP BY user",
      "SELECT min(user), max(user), list(user), string_agg(user, ',') FROM t",
      "SELECT t FROM t",
      "SELECT {'a': user} FROM t",
      "SELECT place FROM t",
      "SELECT to_json(t) FROM t",
      "SELECT COLUMNS('us.*') FROM t",
      "SELECT user::VARCHAR || '' FROM t",
      "SELECT hash(user), length(user), ascii(user) FROM t",
      "SELECT first_value(user) OVER (ORDER BY id) FROM t",
      "SELECT * FROM scan_t()",
      "SELECT * FROM scan_t() WHERE user = '7001'",
      "UNPIVOT (SELECT id, user FROM t) ON user",
      "SUMMARIZE t",
      "EXPLAIN ANALYZE SELECT * FROM t WHERE user = '7001'",
      "SELECT place.user FROM t",
      "SELECT user::BIGINT FROM t",
      "SELECT CASE WHEN user = '7001' THEN error('7' || '001') END FROM t",
  };
  for (const char* attempt : attempts) {
    const std::string answer = Ask(attempt);
    SCOPED_TRACE(std::string(attempt) + ": " + answer);
    std::string without = answer;
    for (const std::string text : {"user = '7001'", "'7001'"}) {
      // EXPLAIN repeats the statement.
      for (size_t at; (at = without.find(text)) != std::string::npos;)
        without.erase(at, text.size());
    }
    EXPECT_THAT(without, Not(HasSubstr("7001")));
    EXPECT_THAT(without, Not(HasSubstr("7002")));
  }
  EXPECT_EQ("", Ask("SELECT id FROM t WHERE user = '7001'"));
  EXPECT_EQ("1;2;3;4", Ask("SELECT id FROM t ORDER BY user, id"));
  EXPECT_EQ("6", Ask("SELECT count(*) FROM t a JOIN t b ON a.user = b.user AND a.id < b.id"));
  EXPECT_EQ("(hidden),4", Ask("SELECT user, count(*) FROM t GROUP BY user"));
}

}  // namespace
}  // namespace shopstream::sql
