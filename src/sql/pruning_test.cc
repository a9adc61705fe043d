#include "sql/pruning.h"

#include <gmock/gmock.h>

#include <map>
#include <random>
#include <set>

#include "lake/testing.h"
#include "sql/constant.h"
#include "sql/lake_rows.h"
#include "sql/testing.h"

namespace shopstream::sql {
namespace {

using lake::FilePredicate;

// Files of table "t", each with its own values of n, name, price, ts and d, and the region in which
// it lies. Which of them a statement may need is shown by their letters.
class PruningTest : public testing::SqlTest {
 protected:
  void SetUp() override {
    SqlTest::SetUp();
    Add("t", {{"n", arrow::int64(), "[]"},
              {"name", arrow::utf8(), "[]"},
              {"price", arrow::float64(), "[]"},
              {"usd", arrow::decimal128(18, 2), "[]"},
              {"ts", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), "[]"},
              {"d", arrow::date32(), "[]"},
              {"region", arrow::utf8(), "[]"}});
    Add("other", {{"n", arrow::int64(), "[]"}, {"name", arrow::utf8(), "[]"}});
  }

  static DataFile File(int64_t n, const std::string& name, const std::string& region,
                       int64_t nulls = 0) {
    DataFile file;
    file.partition_values = {{"region", region}};
    file.rows = 2;
    const std::string number = std::to_string(n), next = std::to_string(n + 1);
    const std::string day = "2025-10-2" + number;
    file.statistics = R"({"numRecords":2,"minValues":{"n":)" + number + R"(,"name":")" + name +
                      R"(","price":)" + number + R"(.5,"usd":)" + number + R"(.50,"ts":")" + day +
                      R"(T00:00:00.000Z","d":")" + day + R"("},"maxValues":{"n":)" + next +
                      R"(,"name":")" + name + R"(","price":)" + next + R"(.5,"usd":)" + next +
                      R"(.50,"ts":")" + day + R"(T23:00:00.000Z","d":")" + day +
                      R"("},"nullCount":{"n":)" + std::to_string(nulls) +
                      R"(,"name":0,"price":0,"usd":0,"ts":0,"d":0}})";
    return file;
  }

  std::vector<ReadConditions> Conditions(const std::string& sql) {
    const auto parsed = session_->Parse(sql);
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    return FindReadConditions(*parsed,
                              {{"t", sources_[0]->schema()}, {"other", sources_[1]->schema()}});
  }

  // a: n 1..2, "apple", EU, 21st; b: n 3..4, "pear", US, 23rd; c: n 5..6, "plum", EU, a null n,
  // 25th.
  std::string FilesOf(const std::string& sql) {
    std::vector<ReadConditions> found = Conditions(sql);
    const std::map<std::string, DataFile> files = {{"a", File(1, "apple", "EU")},
                                                   {"b", File(3, "pear", "US")},
                                                   {"c", File(5, "plum", "EU", 1)}};
    std::string letters;
    for (const auto& [letter, file] : files) {
      const bool known = !found.empty() && found[0].contains("t");
      if (!known || found[0].at("t").MayMatch(file)) letters += letter;
    }
    return letters;
  }
};

TEST_F(PruningTest, ConditionsOnPartitionsAndValues) {
  const std::pair<const char*, const char*> cases[] = {
      {"region = 'EU'", "ac"},
      {"'US' = region", "b"},
      {"region IN ('US', 'ASIA')", "b"},
      {"region = 'EU' AND n > 2", "c"},
      {"n > 2 AND length(name) = 4", "bc"},
      {"n = 4", "b"},
      {"4 < n", "c"},
      {"n >= 4", "bc"},
      {"n > 4", "c"},
      {"n <= 3 OR name = 'plum'", "abc"},
      {"n < 3 OR name = 'plum'", "ac"},
      {"n < 3 OR length(name) = 4", "abc"},
      {"n BETWEEN 3 AND 4", "b"},
      {"n BETWEEN 3 AND length(name)", "bc"},
      {"n IS NULL", "c"},
      {"n IN (1, 6)", "ac"},
      {"n IN (1, length(name))", "abc"},
      {"n > -5", "abc"},
      {"n < -5", ""},
      {"n > 99999999999999999999", "abc"},
      {"price < 2.5", "a"},
      {"price > 1e1", "abc"},  // NaN is greater.
      {"price = 4", "b"},
      {"usd > 4.51", "c"},
      {"usd > 4.505", "abc"},
      {"usd <= 2", "a"},
      {"ts >= '2025-10-23'", "bc"},
      {"ts >= TIMESTAMPTZ '2025-10-23 23:30:00+00'", "c"},
      {"ts < TIMESTAMP '2025-10-23 00:00:00'", "a"},
      {"ts < DATE '2025-10-23'", "a"},
      {"ts < '2025-10-23T00:00:00Z'", "a"},
      {"ts < '2025-10-23 00:00:00+02'", "abc"},
      {"d = '2025-10-23'", "b"},
      {"d > DATE '2025-10-23'", "c"},
      {"d = '23 Oct 2025'", "abc"},
      {"NAME = 'pear'", "b"},
      {"t.name = 'pear'", "b"},
      {"name LIKE 'p%'", "abc"},
      {"NOT (name = 'pear')", "abc"},
      {"name <> 'pear'", "abc"},
      {"name = NULL", "abc"},
      {"upper(name) = 'PEAR'", "abc"},
      {"TRY_CAST('2025-10-23' AS DATE) = d", "abc"},
  };
  for (const auto& [where, files] : cases) {
    EXPECT_EQ(files, FilesOf(std::string("SELECT * FROM t WHERE ") + where)) << where;
  }
}

TEST_F(PruningTest, OnlyWhereTheNamesCanMeanNothingElse) {
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT * FROM t", "abc"},
      {"SELECT max(n) FROM t WHERE name = 'pear' GROUP BY d HAVING count(*) > 1 ORDER BY d", "b"},
      {"FROM t SELECT n WHERE name = 'pear'", "b"},
      {"SELECT * FROM T AS x WHERE x.name = 'pear'", "b"},
      {"WITH x AS (SELECT * FROM t WHERE name = 'pear') SELECT * FROM x WHERE n = 1", "b"},
      {"SELECT * FROM other WHERE n IN (SELECT n FROM t WHERE t.name = 'pear')", "b"},
      // A column is also a name that a query gives.
      {"SELECT name AS region FROM t WHERE region = 'US'", "b"},
      {"SELECT * FROM (SELECT region AS name FROM t) WHERE name = 'pear'", "abc"},
      {"SELECT * FROM t AS x(name, n) WHERE name = 1", "abc"},
      {"WITH t AS (SELECT name AS region FROM t) SELECT * FROM t WHERE region = 'EU'", "abc"},
      {"SELECT * FROM (SELECT name FROM t UNION ALL SELECT region FROM t) WHERE name = 'EU'",
       "abc"},
      // Each place where the table is named needs its rows.
      {"SELECT * FROM t WHERE n = 1 UNION ALL SELECT * FROM t WHERE n = 6", "ac"},
      {"SELECT * FROM t WHERE n = 1 UNION ALL SELECT * FROM t", "abc"},
      {"SELECT (SELECT max(n) FROM t), * FROM t WHERE n = 1", "abc"},
      {"SELECT n FROM t WHERE n = 1 UNION ALL SELECT n FROM scan_t()", "abc"},
      // Joins.
      {"SELECT * FROM t JOIN other USING (n) WHERE t.name = 'pear'", "b"},
      {"SELECT * FROM t JOIN other USING (n) WHERE region = 'US'", "abc"},
      {"SELECT * FROM other LEFT JOIN t USING (n) WHERE t.name = 'pear'", "b"},
      {"SELECT * FROM other LEFT JOIN t USING (n) WHERE t.n IS NULL", "abc"},
      {"SELECT * FROM other FULL JOIN t USING (n) WHERE t.name = 'pear'", "b"},
      {"SELECT * FROM other, t WHERE t.name = 'pear' AND other.n = 1", "b"},
      {"SELECT * FROM other ASOF JOIN t ON other.n >= t.n WHERE t.name = 'pear'", "abc"},
      {"SELECT * FROM other POSITIONAL JOIN t WHERE t.name = 'pear'", "abc"},
      {"SELECT * FROM t a JOIN t b USING (n) WHERE a.name = 'pear'", "abc"},
      {"SELECT * FROM t a JOIN t b USING (n) WHERE a.name = 'pear' AND b.name = 'plum'", "bc"},
      // A sample is one of all rows.
      {"SELECT * FROM t TABLESAMPLE 2 ROWS WHERE n = 1", "abc"},
      {"SELECT * FROM t WHERE n = 1 USING SAMPLE 2 ROWS", "abc"},
      {"SUMMARIZE t", "abc"},
      {"EXPLAIN SELECT * FROM t WHERE n = 1", "abc"},
  };
  for (const auto& [sql, files] : cases) EXPECT_EQ(files, FilesOf(sql)) << sql;
}

TEST_F(PruningTest, EachStatementHasItsOwn) {
  const auto found = Conditions("SELECT 1 FROM t WHERE n = 1; SELECT 2; SELECT 1 FROM other");
  ASSERT_EQ(3U, found.size());
  EXPECT_TRUE(found[0].contains("t"));
  EXPECT_TRUE(found[1].empty());
  EXPECT_TRUE(found[2].empty());
}

TEST(FindReadConditions, TextOfAnotherFormHasNone) {
  const std::map<std::string, std::shared_ptr<arrow::Schema>> tables;
  for (const char* text :
       {"", "[]", "{}", R"({"error":false})", R"({"error":true})",
        R"({"error":false,"statements":[{"type":"SELECT_NODE","where_clause":{}}]})"}) {
    EXPECT_TRUE(FindReadConditions(text, tables).empty()) << text;
  }
}

// Random conditions on a table of real files: with pruning, the rows are those of a table without
// statistics.
class PrunedLakeTest : public lake::testing::LakeTest {};

TEST_F(PrunedLakeTest, AnswersAreThoseOfAFullScan) {
  for (int64_t i = 0; i < 12; ++i)
    Append(i * 20, 25, std::string(1, static_cast<char>('A' + i % 4)));
  auto pruned = LakeRows(store_.get(), lake::testing::kPath, table_->snapshot());
  auto whole = LakeRows(store_.get(), lake::testing::kPath, table_->snapshot());
  const auto engine = Engine::Open({}).ValueOrDie();
  const auto session = engine->Connect().ValueOrDie();
  ASSERT_TRUE(session->Register("t", &pruned).ok());
  ASSERT_TRUE(session->Register("whole", &whole).ok());
  std::mt19937 random(1);
  const auto below = [&](int bound) { return static_cast<int>(random() % bound); };
  const auto number = [&] { return std::to_string(below(270) - 5); };
  const auto atom = [&]() -> std::string {
    const char* const operators[] = {"=", "<", ">", "<=", ">=", "<>"};
    switch (below(7)) {
      case 0:
        return "region = '" + std::string(1, static_cast<char>('A' + below(5))) + "'";
      case 1:
        return "name IS NULL";
      case 2:
        return "name > 'name-" + number() + "'";
      case 3:
        return "n BETWEEN " + number() + " AND " + number();
      case 4:
        return "n IN (" + number() + ", " + number() + ")";
      case 5:
        return "n % 3 = 1";
      default:
        return std::string("n ") + operators[below(6)] + " " + number();
    }
  };
  int narrowed = 0;
  for (int i = 0; i < 150; ++i) {
    std::string where = atom();
    for (int k = below(4); k > 0; --k) {
      where = "(" + where + (below(2) == 0 ? " AND " : " OR ") + atom() + ")";
    }
    SCOPED_TRACE(where);
    const std::string sql = "SELECT count(*), CAST(sum(n) AS BIGINT), min(name) FROM ";
    const std::string mine = sql + "t WHERE " + where;
    const auto found =
        FindReadConditions(session->Parse(mine).ValueOrDie(), {{"t", pruned.schema()}});
    pruned.Narrow(found[0].contains("t") ? found[0].at("t") : FilePredicate());
    ASSERT_EQ(testing::Ask(session.get(), sql + "whole WHERE " + where),
              testing::Ask(session.get(), mine));
    narrowed += pruned.stats().files_read < 12 ? 1 : 0;
  }
  EXPECT_GT(narrowed, 50);
}

}  // namespace
}  // namespace shopstream::sql
