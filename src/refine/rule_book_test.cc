#include "refine/rule_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace shopstream::refine {
namespace {

using ::testing::HasSubstr;

class RuleFilesTest : public ::testing::Test {
 protected:
  RuleFilesTest() {
    std::filesystem::create_directories(folder_);
    Write("rules.yaml", "rules: []");
    Write("rates.csv", "currency,valid_from,rate\nUSD,2000-01-01,1\n");
    Write("categories.yaml", "- {file: c.csv, product_id: id, category: kind, optional: true}");
    files_.rules = folder_ / "rules.yaml";
    files_.rates = folder_ / "rates.csv";
    files_.categories = folder_ / "categories.yaml";
  }
  ~RuleFilesTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  std::string Failure() const { return ReadRuleBook(files_).status().message(); }

  const std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) / ("rule_book_test_" + std::to_string(getpid()));
  RuleFiles files_;
};

TEST_F(RuleFilesTest, ABookHasAllParts) {
  Write("c.csv", "id,kind\nP1,Tea\n");
  files_.late_after_seconds = 60;
  const auto book = ReadRuleBook(files_).ValueOrDie();
  EXPECT_EQ(1, book->lookups.rates->num_rows());
  EXPECT_EQ(1, book->lookups.categories->num_rows());
  EXPECT_EQ(1, book->category_files.size());
  EXPECT_EQ(60, book->late_after_seconds);
  EXPECT_EQ("src/refine/sql/silver.sql", book->silver.file);
  EXPECT_TRUE(book->fingerprint.contains("silver.sql"));
}

TEST_F(RuleFilesTest, OptionalCategoriesCanBeLeftOut) {
  Write("c.csv", "id,kind\nP1,Tea\n");
  files_.optional_categories = false;
  const auto book = ReadRuleBook(files_).ValueOrDie();
  EXPECT_EQ(0, book->lookups.categories->num_rows());
  EXPECT_TRUE(book->category_files.empty());
}

TEST_F(RuleFilesTest, SilversSqlMayComeFromAFolder) {
  files_.sql_folder = folder_;
  EXPECT_THAT(Failure(), HasSubstr("silver.sql: set refine.sql_folder"));
  Write("silver.sql", "SELECT 1;\n");
  EXPECT_EQ("SELECT 1", ReadRuleBook(files_).ValueOrDie()->silver.text);
  Write("silver.sql", "SELECT 1; SELECT 2");
  EXPECT_THAT(Failure(), HasSubstr("silver.sql has 2 statements: write one SELECT"));
  Write("silver.sql", "SELECT now() AS event_hour FROM bronze");
  EXPECT_THAT(Failure(), HasSubstr("silver.sql calls now, which gives another value each time"));
}

TEST_F(RuleFilesTest, AMissingFileIsNamedWithItsSetting) {
  files_.rules = folder_ / "absent";
  EXPECT_EQ("cannot read " + files_.rules + ": set refine.rules", Failure());
  files_.rules = folder_;
  EXPECT_EQ("cannot read " + files_.rules + ": set refine.rules", Failure());
}

TEST_F(RuleFilesTest, ALimitThatNoPassCanReachIsRefused) {
  Write("rules.yaml", "stop_above: {percent: 5, rows: 2000}\nrules: []");
  files_.pass_rows = 4000;
  EXPECT_TRUE(ReadRuleBook(files_).ok());
  files_.pass_rows = 3999;
  EXPECT_EQ(files_.rules +
                ": stop_above counts passes of at least 2,000 rows, but a pass has at most 3,999, "
                "so that it may never halt: set refine.pass_rows to at least 4,000, or rows of "
                "stop_above to at most 1,999",
            Failure());
}

TEST_F(RuleFilesTest, EveryFileChangesTheStamp) {
  files_.sql_folder = folder_;
  const RuleSource source = FromFiles(files_);
  std::string stamp = source.stamp();
  EXPECT_EQ(stamp, source.stamp());
  for (const char* name : {"rules.yaml", "rates.csv", "categories.yaml", "c.csv", "silver.sql"}) {
    Write(name, "a text of another length in " + std::string(name));
    const std::string changed = source.stamp();
    EXPECT_NE(stamp, changed) << name;
    stamp = changed;
    if (std::string(name) == "categories.yaml") {
      Write(name, "- {file: c.csv, product_id: id, category: kind, optional: true}");
      stamp = source.stamp();
    }
  }
}

}  // namespace
}  // namespace shopstream::refine
