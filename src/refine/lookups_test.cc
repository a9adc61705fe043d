#include "refine/lookups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "sql/value_text.h"

namespace shopstream::refine {
namespace {

using ::testing::HasSubstr;

class LookupsTest : public ::testing::Test {
 protected:
  LookupsTest() { std::filesystem::create_directories(folder_); }
  ~LookupsTest() override { std::filesystem::remove_all(folder_); }

  std::string File(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  std::string Path(const std::string& name) const { return folder_ / name; }

  // "EUR 2025-01-01 1.08500000;..."
  static std::string Text(const Result<std::shared_ptr<arrow::RecordBatch>>& rows) {
    if (!rows.ok()) return rows.status().message();
    std::string text;
    for (int64_t row = 0; row < (*rows)->num_rows(); ++row) {
      for (int i = 0; i < (*rows)->num_columns(); ++i) {
        text += (i > 0 ? " " : row > 0 ? ";" : "") + sql::ValueText(*(*rows)->column(i), row);
      }
    }
    return text;
  }
  std::string Rates(const std::string& lines) const {
    return Text(ReadRates(File("rates.csv", "currency,valid_from,rate\n" + lines)));
  }
  std::string Categories(const std::string& yaml) const {
    const auto files = ParseCategoryFiles(yaml, Path("categories.yaml"));
    return files.ok() ? Text(ReadCategories(*files)) : files.status().message();
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) / ("lookups_test_" + std::to_string(getpid()));
};

TEST_F(LookupsTest, RatesAreReadAndSorted) {
  EXPECT_EQ("EUR 2024-12-31 1.00000000;EUR 2025-01-01 1.08500000;JPY 2025-01-01 0.00640001",
            Rates("JPY,2025-01-01,0.00640001\nEUR,2025-01-01,1.085\nEUR,2024-12-31,01\n"));
  EXPECT_EQ("EUR 2025-01-01 9999999999.99999999", Rates("EUR,2025-01-01,9999999999.99999999\n"));
}

TEST_F(LookupsTest, AWrongRateIsNamedWithItsLine) {
  const std::string path = Path("rates.csv");
  EXPECT_EQ(path + ", line 3: rate '1;09' is not a number with up to 8 decimals",
            Rates("USD,2025-01-01,1\nEUR,2025-01-01,1;09\n"));
  for (const char* rate : {"abc", "1.123456789", "-1", "+1", "1e2", "nan", ".", "1.2.3", "0x1"}) {
    EXPECT_THAT(Rates(std::string("EUR,2025-01-01,") + rate + "\n"),
                HasSubstr("line 2: rate '" + std::string(rate) + "' is not a number"))
        << rate;
  }
  EXPECT_THAT(Rates("EUR,2025-01-01,\n"), HasSubstr("line 2: rate '' is not"));
  EXPECT_THAT(Rates("EUR,2025-01-01,10000000000\n"), HasSubstr("more than 10 digits"));
  EXPECT_THAT(Rates("EUR,2025-01-01,0.0\n"), HasSubstr("a rate must be above 0"));
  EXPECT_THAT(Rates(",2025-01-01,1\n"), HasSubstr("line 2: currency is missing"));
  for (const char* date : {"2025-02-30", "2025-01-01T10:00:00Z", "soon", "2025-01-01+02:00"}) {
    EXPECT_THAT(Rates(std::string("EUR,") + date + ",1\n"), HasSubstr("is not a date such as"))
        << date;
  }
  EXPECT_THAT(Rates("EUR,2025-01-01,1\nEUR,2025-01-01,2\n"),
              HasSubstr("the rate of EUR from 2025-01-01 on is given twice"));
  EXPECT_THAT(Rates("EUR,2025-01-01\n"), HasSubstr(path));
  EXPECT_THAT(Text(ReadRates(Path("absent.csv"))), HasSubstr("absent.csv"));
  EXPECT_THAT(Text(ReadRates(File("r.csv", "currency,from,rate\n"))),
              HasSubstr("has no column 'valid_from'"));
}

TEST_F(LookupsTest, TheFirstFileThatKnowsAProductDecides) {
  File("a.csv", "id,kind\nP1,Tea\nP2,\n");
  File("b.csv", "product;category\nP1;Coffee\nP2;Tools\n");
  EXPECT_EQ("P1 Tea;P2 Tools",
            Categories("- {file: a.csv, product_id: id, category: kind}\n"
                       "- {file: absent.csv, product_id: a, category: b, optional: true}\n"
                       "- {file: b.csv, product_id: product, category: category}\n"));
  EXPECT_EQ("", Categories("[]"));
}

TEST_F(LookupsTest, AWrongCategoryFileIsNamed) {
  File("a.csv", "id,kind\nP1,Tea\nP1,Tea\nP1,Coffee\n");
  EXPECT_EQ(
      Path("a.csv") + ", line 4: product P1 has the category Coffee, and in an earlier line Tea",
      Categories("- {file: a.csv, product_id: id, category: kind}"));
  File("b.csv", "id,kind\n,Tea\n");
  EXPECT_EQ(Path("b.csv") + ", line 2: id is missing",
            Categories("- {file: b.csv, product_id: id, category: kind}"));
  EXPECT_THAT(Categories("- {file: absent.csv, product_id: id, category: kind}"),
              HasSubstr("absent.csv"));
  EXPECT_THAT(Categories("- {file: a.csv, product_id: id, category: kin}"),
              HasSubstr("did you mean 'kind'?"));
  EXPECT_THAT(Categories("- {file: a.csv, product_id: id}"), HasSubstr("line 1: 'category'"));
  EXPECT_THAT(Categories("file: a.csv"), HasSubstr("the file is a list of files"));
  EXPECT_THAT(Categories("[{"), HasSubstr("categories.yaml, line "));
}

}  // namespace
}  // namespace shopstream::refine
