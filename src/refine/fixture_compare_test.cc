#include "refine/fixture_compare.h"

#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shopstream::refine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// "expected | found" of each difference, and the columns that differ.
std::vector<std::string> Compare(const std::string& expected, const std::string& found) {
  const auto type = arrow::struct_({arrow::field("id", arrow::utf8()),
                                    arrow::field("usd", arrow::decimal128(18, 2)),
                                    arrow::field("late", arrow::boolean())});
  const auto rows = arrow::RecordBatch::FromStructArray(
                        arrow::json::ArrayFromJSONString(type, found).ValueOrDie())
                        .ValueOrDie();
  const auto differences = CompareRows(YamlReader("f.yaml"), YAML::Load(expected), *rows);
  if (!differences.ok()) return {differences.status().message()};
  std::vector<std::string> texts;
  for (const auto& difference : *differences) {
    texts.push_back(difference.expected + " | " + difference.found);
    for (const std::string& column : difference.columns) texts.back() += " | " + column;
  }
  return texts;
}

constexpr char kTwo[] = R"([{"id": "a", "usd": "1.50", "late": true}, {"id": "b"}])";

TEST(CompareRows, OnlyNamedColumnsAreComparedInAnyOrder) {
  EXPECT_THAT(Compare("[{id: b}, {id: a, usd: 1.5}]", kTwo), IsEmpty());
  EXPECT_THAT(Compare("[{id: b, late: ~}, {late: true}]", kTwo), IsEmpty());
  EXPECT_THAT(Compare("[]", "[]"), IsEmpty());
}

TEST(CompareRows, AnotherValueIsShownBesideTheRowMostLikeIt) {
  EXPECT_THAT(Compare("[{id: b}, {id: a, usd: 1.51}]", kTwo),
              ElementsAre("id: a, usd: 1.51 | id: a, usd: 1.50 | usd"));
}

TEST(CompareRows, RowsThatOneSideLacksAreNamed) {
  EXPECT_THAT(Compare("[{id: a}, {id: b}, {id: c}]", kTwo), ElementsAre("id: c | "));
  EXPECT_THAT(Compare("[{id: b}]", kTwo), ElementsAre(" | id: a, usd: 1.50, late: true"));
  EXPECT_THAT(Compare("[{id: a}, {id: a}]", kTwo), ElementsAre("id: a | id: b | id"));
}

TEST(CompareRows, MistakesAreNamedWithTheirLine) {
  EXPECT_THAT(Compare("\n[{usdd: 1}]", kTwo),
              ElementsAre("f.yaml, line 2: there is no column 'usdd'; did you mean 'usd'?"));
  EXPECT_THAT(Compare("[{usd: 1.505}]", kTwo),
              ElementsAre("f.yaml, line 1: '1.505' is not a value of usd (decimal128(18, 2))"));
  EXPECT_THAT(Compare("{id: a}", kTwo),
              ElementsAre("f.yaml, line 1: what is expected is a list of rows"));
  EXPECT_THAT(Compare("[5]", kTwo),
              ElementsAre("f.yaml, line 1: a row consists of columns and values"));
}

}  // namespace
}  // namespace shopstream::refine
