#include "refine/judged_rows.h"

#include <arrow/array/util.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "refine/pass_testing.h"

namespace shopstream::refine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

std::shared_ptr<arrow::StringArray> Texts(const std::vector<std::string>& texts) {
  arrow::StringBuilder builder;
  EXPECT_TRUE(builder.AppendValues(texts).ok());
  return std::static_pointer_cast<arrow::StringArray>(*builder.Finish());
}

class JudgedRowsTest : public ::testing::Test {
 protected:
  JudgedRowsTest() {
    bronze_ = *lake::Table::OpenOrCreate(&store_, testing::BronzeSpec());
    columns_ = *RefineColumns::Of(testing::kBronze, *bronze_->snapshot());
    testing::Ingest(bronze_.get(), {{.id = "a", .offset = 0, .region = "EU"},
                                    {.id = "b", .offset = 1, .region = "US"},
                                    {.id = "c", .offset = 2, .region = "EU"}});
    PassPlan plan;
    plan.ranges[{testing::kTopicIdA, 0}] = {0, 0, 3};
    InputStats stats;
    rows_ = **ReadPassRows(bronze_.get(), plan, {}, &stats);
  }
  Verdicts NullVerdicts(int64_t rows) {
    return {.reasons = nullptr,
            .warnings = nullptr,
            .event_hour = *arrow::MakeArrayOfNull(tables::Instant(), rows),
            .amount_usd = *arrow::MakeArrayOfNull(arrow::decimal128(18, 2), rows),
            .product_category = *arrow::MakeArrayOfNull(arrow::utf8(), rows),
            .late = *arrow::MakeArrayOfNull(arrow::boolean(), rows)};
  }
  std::vector<std::string> Paths(const std::vector<DataFile>& files) {
    std::vector<std::string> paths;
    for (const DataFile& file : files) {
      paths.push_back(file.path.substr(0, file.path.rfind('/')) + " " + std::to_string(file.rows));
    }
    return paths;
  }

  simulate::MemoryStore store_;
  std::unique_ptr<lake::Table> bronze_;
  RefineColumns columns_;
  PassRows rows_;
};

TEST_F(JudgedRowsTest, EachRowIsWrittenToOneOfTheTables) {
  std::vector<std::string> reasons;
  for (int64_t row = 0; row < 3; ++row) {
    const auto id = (*rows_.rows->GetColumnByName("event_id")->GetScalar(row))->ToString();
    reasons.push_back(id == "c" ? "cents,positive" : "");
  }
  const JudgedRows judged =
      *CombineRows(columns_, rows_, NullVerdicts(3), Texts(reasons), {.pass = 7});
  EXPECT_EQ(2, judged.silver.size());
  EXPECT_EQ(1, judged.rejects.size());
  EXPECT_THAT(Paths(*WriteSilverRows(&store_, "s", columns_, judged)),
              ElementsAre("region=EU/date=2025-10-24 1", "region=US/date=2025-10-24 1"));
  EXPECT_THAT(Paths(*WriteRejectedRows(&store_, "r", columns_, judged)),
              ElementsAre("date=2025-10-24 1"));
}

TEST_F(JudgedRowsTest, AVerdictForAnotherNumberOfRowsIsABug) {
  const auto judged =
      CombineRows(columns_, rows_, NullVerdicts(2), Texts({"", "", ""}), {.pass = 7});
  EXPECT_THAT(judged.status().message(), HasSubstr("2 values of"));
}

TEST(CountRowsTest, ARowWithTwoReasonsCountsForBoth) {
  const Tally tally =
      CountRows(*Texts({"", "a,b", "a", "duplicate", ""}), *Texts({"w", "", "", "w", "w,v"}));
  EXPECT_EQ(5, tally.rows);
  EXPECT_EQ(2, tally.silver);
  EXPECT_THAT(tally.by_reason, ElementsAre(Pair("a", 2), Pair("b", 1), Pair("duplicate", 1)));
  EXPECT_THAT(tally.warned, ElementsAre(Pair("v", 1), Pair("w", 3)));
}

}  // namespace
}  // namespace shopstream::refine
