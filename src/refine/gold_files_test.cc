#include "refine/gold_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "refine/gold_merge.h"
#include "refine/gold_testing.h"

namespace shopstream::refine {
namespace {

using ::testing::HasSubstr;

std::string Names(const std::vector<GoldFile>& files) {
  std::string names;
  for (const GoldFile& file : files) names += (names.empty() ? "" : " ") + file.name;
  return names;
}

TEST(GoldFilesTest, ThoseOfTheProgramKeepToTheirDeclarations) {
  const auto files = LoadGoldFiles("");
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(Names(*files), "customer_daily product_daily quality_daily revenue_hourly");
  std::string columns;
  for (const GoldFile& file : *files) {
    const auto merge = GoldMerge::Open(file, testing::GoldColumns(), {});
    ASSERT_TRUE(merge.ok()) << merge.status();
    columns += file.name + ":";
    for (const auto& field : (*merge)->schema()->fields()) {
      columns += " " + field->name() + " " + field->type()->ToString() + ",";
    }
    columns += "\n";
  }
  EXPECT_EQ(
      columns,
      "customer_daily: user_id int64, orders int64, spend_usd decimal128(18, 2), "
      "first_purchase_at timestamp[us, tz=UTC], last_purchase_at timestamp[us, tz=UTC], date "
      "date32[day],\n"
      "product_daily: product_id string, product_name string, category string, orders int64, "
      "units int64, revenue_usd decimal128(18, 2), rank int64, date date32[day],\n"
      "quality_daily: bronze_rows int64, silver_rows int64, rejected_rows int64, "
      "duplicate_rows int64, late_rows int64, max_delay_seconds int64, date date32[day],\n"
      "revenue_hourly: region string, event_hour timestamp[us, tz=UTC], orders int64, units "
      "int64, revenue_usd decimal128(18, 2), average_order_value decimal128(18, 2), customers "
      "int64, date date32[day],\n");
}

TEST(GoldFilesTest, AFolderReplacesThem) {
  std::string folder = ::testing::TempDir() + "gold_files.XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::filesystem::create_directory(folder + "/gold");
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(folder + "/gold/" + name) << text;
  };
  write("b.sql", "-- key: date\n-- n: add\n-- aggregate\nSELECT 1\n");
  write("a.sql", "-- key: date\n-- n: add\n-- aggregate\nSELECT 2\n");
  write("README.md", "no SQL");
  const auto files = LoadGoldFiles(folder);
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(Names(*files), "a b");
  write("c.sql", "-- key: date\n-- n: ad\n");
  EXPECT_THAT(LoadGoldFiles(folder).status().message(), HasSubstr("gold/c.sql:2: column n"));
  std::filesystem::remove_all(folder);
}

TEST(GoldFilesTest, AFolderThatIsAbsentIsNamed) {
  EXPECT_THAT(LoadGoldFiles("/nowhere").status().message(),
              ::testing::AllOf(HasSubstr("/nowhere/gold"), HasSubstr("refine.sql_folder")));
}

}  // namespace
}  // namespace shopstream::refine
