#include "lake/delta/statistics_growth.h"

#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "base/json.h"
#include "lake/parquet/column_statistics.h"
#include "lake/parquet/file_statistics.h"
#include "lake/testing.h"

namespace shopstream::lake {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class StatisticsGrowthTest : public testing::LakeTest {
 protected:
  // The table's columns and `more`.
  static std::shared_ptr<arrow::Schema> Columns(const arrow::FieldVector& more) {
    arrow::FieldVector fields = testing::SmallSpec().schema->fields();
    fields.insert(fields.end(), more.begin(), more.end());
    return arrow::schema(fields);
  }
  // A commit that adds columns, and `file` if it has a name.
  void Grow(const arrow::FieldVector& more, const DataFile& file = {}) {
    Changes changes;
    if (!file.path.empty()) changes.adds = {file};
    changes.written_since = BootClock::now();
    changes.growth = TableGrowth{Columns(more), {}};
    const auto result = table_->Commit(Unconditionally(changes), BootClock::now() + Millis{60'000});
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(CommitOutcome::kCommitted, result->outcome) << result->detail;
  }
  std::string Entry(int64_t version) {
    const auto content = *store_->inner()->Get(LogEntryPath(kPath, version));
    return content->ToString();
  }
  static constexpr const char* kPath = testing::kPath;
};

const arrow::FieldVector kMore = {
    arrow::field("coupon", arrow::utf8()),
    arrow::field("buyer", arrow::struct_({arrow::field("zip", arrow::int64())}))};

TEST_F(StatisticsGrowthTest, LiveFilesSayThatANewColumnIsNull) {
  const DataFile old = Append(0, 10);
  const DataFile gone = Append(10, 10);
  Commit({}, {gone});
  Grow(kMore);
  for (const bool reopened : {false, true}) {
    if (reopened) Reopen();
    const auto files = table_->snapshot()->Files();
    ASSERT_EQ(1u, files.size());
    EXPECT_EQ(old.path, files[0].path);
    EXPECT_EQ(old.modified_ms, files[0].modified_ms);
    auto expected = json::parse(old.statistics);
    expected["nullCount"]["coupon"] = 10;
    expected["nullCount"]["buyer"]["zip"] = 10;
    expected["minValues"]["buyer"] = json::object();
    expected["maxValues"]["buyer"] = json::object();
    EXPECT_EQ(expected, json::parse(files[0].statistics));
    EXPECT_TRUE(HasSoundForm(files[0].statistics, *table_->snapshot()->schema(),
                             files[0].partition_values));
  }
  EXPECT_THAT(Entry(4), HasSubstr(R"("dataChange":false)"));
  Grow(kMore);  // Nothing new, so no file is added again.
  EXPECT_THAT(Entry(5), ::testing::Not(HasSubstr("\"add\"")));
}

TEST_F(StatisticsGrowthTest, AWriterThatDoesNotKnowAColumnSaysThatItIsNull) {
  const auto late = Table::Open(store_.get(), kPath).ValueOrDie();
  Grow(kMore);
  Changes changes;
  changes.adds = {WriteFile(0, 7)};
  changes.written_since = BootClock::now();
  ASSERT_TRUE(late->Commit(Unconditionally(changes), BootClock::now() + Millis{60'000}).ok());
  const auto files = late->snapshot()->Files();
  EXPECT_EQ(7, json::parse(files[0].statistics)["nullCount"]["coupon"]);
  EXPECT_EQ(7, json::parse(files[0].statistics)["nullCount"]["buyer"]["zip"]);
}

TEST_F(StatisticsGrowthTest, WhatHasNoStatisticsStaysWithout) {
  DataFile none = WriteFile(0, 3);
  none.statistics = "";
  DataFile alone = WriteFile(3, 3);
  alone.statistics = R"({"numRecords":3})";
  DataFile nameless = WriteFile(6, 3);
  nameless.statistics = R"({"minValues":{"n":6},"maxValues":{"n":8},"nullCount":{"n":0}})";
  Commit({none, alone, nameless});
  Grow(kMore);
  std::vector<std::string> statistics;
  for (const DataFile& file : table_->snapshot()->Files()) statistics.push_back(file.statistics);
  EXPECT_THAT(statistics, ::testing::UnorderedElementsAre("", "", R"({"numRecords":3})"));
}

TEST_F(StatisticsGrowthTest, ARecordWithBytesLeavesTheRowsAlone) {
  Append(0, 10);
  Grow({arrow::field("s", arrow::struct_({arrow::field("raw", arrow::binary())}))});
  EXPECT_EQ(R"({"numRecords":10})", table_->snapshot()->Files()[0].statistics);
}

TEST_F(StatisticsGrowthTest, ComputedStatisticsAreThoseOfTheWriter) {
  const DataFile file = Append(0, 10);
  EXPECT_EQ(
      file.statistics,
      ComputeStatistics(store_.get(), kPath, file, *table_->snapshot()->schema()).ValueOrDie());
  Grow(kMore);
  EXPECT_EQ(json::parse(table_->snapshot()->Files()[0].statistics),
            json::parse(ComputeStatistics(store_.get(), kPath, file, *table_->snapshot()->schema())
                            .ValueOrDie()));
}

TEST_F(StatisticsGrowthTest, ManyLiveFilesAreNamedInOneCommit) {
  constexpr int kFiles = 10'000;
  const DataFile file = WriteFile(0, 10);
  std::vector<DataFile> files(kFiles, file);
  for (int i = 0; i < kFiles; ++i) files[i].path = "region=EU/" + std::to_string(i) + ".parquet";
  Commit(files);
  const auto begun = std::chrono::steady_clock::now();
  Grow(kMore);
  RecordProperty("milliseconds",
                 static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                      std::chrono::steady_clock::now() - begun)
                                      .count()));
  const std::string entry = Entry(2);
  RecordProperty("bytes", static_cast<int>(entry.size()));
  int named = 0;
  for (size_t at = 0; (at = entry.find("\\\"coupon\\\":10", at)) != std::string::npos; ++at)
    ++named;
  EXPECT_EQ(kFiles, named);
}

TEST(SoundForm, IsWhatEveryReaderUnderstands) {
  const arrow::Schema schema({arrow::field("n", arrow::int64()),
                              arrow::field("usd", arrow::decimal128(38, 9)),
                              arrow::field("paid", arrow::boolean())});
  const auto sound = [&](const std::string& text) { return HasSoundForm(text, schema, {}); };
  EXPECT_TRUE(sound(""));
  EXPECT_TRUE(sound(R"({"numRecords":2})"));
  EXPECT_TRUE(sound(R"({"numRecords":2,"minValues":{"n":1,"usd":0.000000000},)"
                    R"("maxValues":{"n":1,"usd":1.0},"nullCount":{"n":0,"usd":0,"paid":2}})"));
  EXPECT_FALSE(sound(R"({"numRecords":2,"minValues":{"n":1,"usd":0E-9,"paid":true},)"
                     R"("maxValues":{"n":1,"usd":1.0,"paid":true},)"
                     R"("nullCount":{"n":0,"usd":0,"paid":0}})"));
  EXPECT_FALSE(sound(R"({"numRecords":2,"minValues":{"n":1,"usd":1},)"
                     R"("maxValues":{"n":1,"usd":1.0},"nullCount":{"n":0,"usd":0,"paid":0}})"));
  EXPECT_FALSE(sound(R"({"numRecords":2,"minValues":{},"maxValues":{},"nullCount":{"n":2}})"));
  EXPECT_FALSE(sound("no JSON"));
}

}  // namespace
}  // namespace shopstream::lake
