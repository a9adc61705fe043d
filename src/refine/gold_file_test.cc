#include "refine/gold_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace shopstream::refine {
namespace {

using ::testing::HasSubstr;

constexpr char kSales[] = R"(-- Sales by region.
-- Note: any words are fine here.
--
-- key: date, region
-- orders: add
-- first: min
-- buyers: distinct user_id
-- share: derived

-- aggregate
SELECT date, region, count(*) AS orders, min(timestamp) AS first,
  count(DISTINCT user_id) AS buyers
FROM silver_events GROUP BY date, region;

-- derive
-- A comment.
SELECT date, region, orders, first, buyers, orders / 2 AS share FROM aggregated
)";

Result<GoldFile> Parse(const std::string& text, const std::string& name = "sales") {
  return ParseGold(name, {text, "sql/gold/sales.sql", 1});
}

std::string ErrorOf(const std::string& text, const std::string& name = "sales") {
  return Parse(text, name).status().message();
}

TEST(GoldFileTest, DeclarationsAndParts) {
  const auto file = Parse(kSales);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->name, "sales");
  EXPECT_EQ(file->Keys(), (std::vector<std::string>{"date", "region"}));
  ASSERT_EQ(file->columns.size(), 6u);
  EXPECT_EQ(file->Find("orders")->kind, GoldKind::kAdd);
  EXPECT_EQ(file->Find("orders")->line, 5);
  EXPECT_EQ(file->Find("first")->kind, GoldKind::kMin);
  EXPECT_EQ(file->Find("buyers")->kind, GoldKind::kDistinct);
  EXPECT_EQ(file->Find("buyers")->counted, "user_id");
  EXPECT_EQ(file->Find("share")->kind, GoldKind::kDerived);
  EXPECT_EQ(file->Find("nothing"), nullptr);
  EXPECT_EQ(file->aggregate.first_line, 11);
  EXPECT_TRUE(file->aggregate.text.starts_with("SELECT date, region, count(*)"));
  EXPECT_TRUE(file->aggregate.text.ends_with("GROUP BY date, region\n")) << "no semicolon";
  EXPECT_EQ(file->derive.file, "sql/gold/sales.sql");
  EXPECT_THAT(file->derive.text, HasSubstr("orders / 2 AS share"));
}

TEST(GoldFileTest, AnotherTextHasAnotherHash) {
  const auto file = Parse(kSales);
  EXPECT_EQ(file->hash.size(), 64u);
  EXPECT_EQ(Parse(kSales)->hash, file->hash);
  EXPECT_NE(Parse(std::string(kSales) + " ")->hash, file->hash);
}

TEST(GoldFileTest, DeriveIsOptional) {
  const auto file = Parse("-- key: date\n-- n: add\n-- aggregate\nSELECT 1");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_FALSE(file->HasDerive());
  EXPECT_EQ(file->aggregate.first_line, 4);
}

TEST(GoldFileTest, ErrorsNameTheLine) {
  EXPECT_EQ(ErrorOf("-- key: region\n"),
            "sql/gold/sales.sql:1: the key needs the column date, by which the table is "
            "partitioned");
  EXPECT_THAT(ErrorOf("-- key: date, Region\n"), HasSubstr("sales.sql:1: 'Region' is not"));
  EXPECT_THAT(ErrorOf("-- key: date, date\n"), HasSubstr("column date is declared in line 1"));
  EXPECT_THAT(ErrorOf("-- key: date\n-- key: date\n"), HasSubstr("sales.sql:2: a second key"));
  EXPECT_THAT(ErrorOf("-- key: date\n--\n-- n: ad\n"),
              HasSubstr("sales.sql:3: column n: 'ad' is none of add, min, max, distinct COLUMN or "
                        "derived; did you mean 'add'?"));
  EXPECT_THAT(ErrorOf("-- key: date\n-- n: distinct\n"), HasSubstr("sales.sql:2: column n"));
  EXPECT_THAT(ErrorOf("-- key: date\n-- n: add m\n"), HasSubstr("'add m' is none of"));
  EXPECT_THAT(ErrorOf("-- key: date\n-- n: add\n-- n: min\n"),
              HasSubstr("sales.sql:3: column n is declared in line 2 already"));
  EXPECT_THAT(ErrorOf("-- key: date\n-- about orders\n"),
              HasSubstr("sales.sql:2: 'about orders' is no declaration"));
  EXPECT_THAT(ErrorOf("SELECT 1\n"), HasSubstr("sales.sql:1: SQL before the line"));
  EXPECT_THAT(ErrorOf("-- aggregate\nSELECT 1\n"),
              HasSubstr("sales.sql: there is no line `-- key"));
  EXPECT_THAT(ErrorOf("-- key: date\n"), HasSubstr("sales.sql: there is no SELECT below a line "
                                                   "`-- aggregate`"));
  EXPECT_THAT(ErrorOf("-- key: date\n-- derive\n"), HasSubstr("sales.sql:2: `-- derive` before"));
  EXPECT_THAT(ErrorOf("-- key: date\n-- aggregate\nSELECT 1\n-- aggregate\n"),
              HasSubstr("sales.sql:4: a second `-- aggregate`"));
  EXPECT_THAT(ErrorOf("-- key: date\n-- aggregate\nSELECT 1;\nSELECT 2\n"),
              HasSubstr("sales.sql:3: a second statement in the aggregate part"));
  EXPECT_THAT(ErrorOf("-- key: date\n-- aggregate\nSELECT 1\n-- derive\n-- nothing\n"),
              HasSubstr("sales.sql:4: there is no SELECT below a line `-- derive`"));
  EXPECT_THAT(ErrorOf("-- key: date\n-- n: derived\n-- aggregate\nSELECT 1\n"),
              HasSubstr("sales.sql:2: column n is derived, but there is no SELECT"));
  EXPECT_THAT(ErrorOf(kSales, "Sales-2"), HasSubstr("is named after its table"));
}

}  // namespace
}  // namespace shopstream::refine
