#include "refine/pass_input.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error_kind.h"
#include "lake/testing.h"
#include "refine/bronze_testing.h"

namespace shopstream::refine {
namespace {

using testing::Bronze;
using testing::BronzeRow;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Rows;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

std::vector<std::string> EventIds(const PassRows& rows) {
  std::vector<std::string> ids;
  const auto& column =
      dynamic_cast<const arrow::StringArray&>(*rows.rows->GetColumnByName("event_id"));
  for (int64_t row = 0; row < column.length(); ++row) ids.push_back(column.GetString(row));
  std::ranges::sort(ids);
  return ids;
}

std::vector<std::string> EventIds(const std::vector<BronzeRow>& rows) {
  std::vector<std::string> ids;
  for (const BronzeRow& row : rows) ids.push_back(row.EventId());
  std::ranges::sort(ids);
  return ids;
}

class PassInputTest : public ::testing::Test {
 protected:
  PassPlan Plan(int64_t pass_rows = 1'000'000) {
    return PlanPass(standing_, *bronze_.snapshot(), pass_rows).ValueOrDie();
  }
  PassRows Read(const PassPlan& plan) {
    stats_ = {};
    auto rows = ReadPassRows(bronze_.table(), plan, {}, &stats_);
    EXPECT_TRUE(rows.ok()) << rows.status();
    EXPECT_TRUE(rows->has_value());
    return **std::move(rows);
  }

  Bronze bronze_;
  tables::RefineStanding standing_;
  InputStats stats_;
};

TEST_F(PassInputTest, RowsHaveAllColumnsAndTheirPartition) {
  bronze_.Append({{"t", 0, 0, "2025-10-24", "EU"},
                  {"t", 0, 1, "2025-10-25", "US"},
                  {"t", 0, 2, "2025-10-24", "EU"}});
  const PassRows rows = Read(Plan());
  EXPECT_TRUE(rows.rows->schema()->Equals(*bronze_.snapshot()->schema()));
  ASSERT_TRUE(rows.rows->ValidateFull().ok());
  ASSERT_THAT(rows.partition_of_row, SizeIs(3));
  EXPECT_THAT(rows.partitions, SizeIs(2));
  for (int64_t row = 0; row < 3; ++row) {
    const PartitionValues& partition = rows.partitions[rows.partition_of_row[row]];
    const auto region = rows.rows->GetColumnByName("region")->GetScalar(row).ValueOrDie();
    const auto date = rows.rows->GetColumnByName("date")->GetScalar(row).ValueOrDie();
    EXPECT_THAT(partition, ElementsAre(std::pair("region", std::optional(region->ToString())),
                                       std::pair("date", std::optional(date->ToString()))));
    const auto offset = rows.rows->GetColumnByName("kafka_offset")->GetScalar(row).ValueOrDie();
    EXPECT_EQ(offset->ToString() == "1" ? "US" : "EU", region->ToString());
  }
}

TEST_F(PassInputTest, NoRowsAreABatchWithAllColumns) {
  bronze_.Append({}, {{{"t", 0}, 7}});
  const PassRows rows = Read(Plan());
  EXPECT_EQ(0, rows.rows->num_rows());
  EXPECT_TRUE(rows.rows->schema()->Equals(*bronze_.snapshot()->schema()));
  EXPECT_THAT(rows.partitions, IsEmpty());
}

TEST_F(PassInputTest, ALaterPassReadsOnlyNewFiles) {
  bronze_.Append(Rows("t", 0, 0, 10));
  standing_ = StandingAfter(standing_, Plan());
  bronze_.Append(Rows("t", 0, 10, 12));
  EXPECT_THAT(EventIds(Read(Plan())), ElementsAre("t/0/10", "t/0/11"));
  EXPECT_FALSE(stats_.all_files);
  EXPECT_EQ(2, stats_.files);
  EXPECT_EQ(2, stats_.rows_read);
}

TEST_F(PassInputTest, RowsAreFoundWhereverTheyWereMoved) {
  bronze_.Append(Rows("t", 0, 0, 10));
  standing_ = StandingAfter(standing_, Plan());
  bronze_.Append(Rows("t", 0, 10, 20));
  bronze_.Rewrite(bronze_.Files(), /*data_change=*/false, /*vacuums=*/true);
  const PassPlan bounded = Plan(3);
  EXPECT_EQ(EventIds(Rows("t", 0, 10, 13)), EventIds(Read(bounded)));
  standing_ = StandingAfter(standing_, bounded);
  bronze_.Rewrite(bronze_.Files(), /*data_change=*/true, /*vacuums=*/false);
  EXPECT_EQ(EventIds(Rows("t", 0, 13, 20)), EventIds(Read(Plan())));
}

TEST_F(PassInputTest, WithoutTheLogAllFilesAreSearchedByTheirStatistics) {
  bronze_.Append(Rows("t", 0, 0, 10));
  bronze_.Append(Rows("t", 0, 10, 20));
  bronze_.Append(Rows("t", 1, 10, 20));
  standing_.ends = {{{"t", 0}, 10}, {{"t", 1}, 20}};
  EXPECT_EQ(EventIds(Rows("t", 0, 10, 20)), EventIds(Read(Plan())));
  EXPECT_TRUE(stats_.all_files);
  EXPECT_EQ(6, stats_.files);
  EXPECT_EQ(2, stats_.files_read);
}

TEST_F(PassInputTest, WhatWasReplayedAfterThePlanBelongsToALaterPass) {
  bronze_.Append(Rows("t", 0, 0, 5));
  standing_ = StandingAfter(standing_, Plan());
  bronze_.Append(Rows("t", 0, 6, 9), {{{"t", 0}, 10}});
  const PassPlan plan = Plan();
  const auto rejects = StandingAfter(standing_, plan);
  bronze_.Replay({{"t", 0, 5}, {"t", 0, 9}});
  // Another refine finishes the pass.
  EXPECT_EQ(EventIds(Rows("t", 0, 6, 9)), EventIds(Read(PlanToFinish(rejects, standing_))));
  standing_ = rejects;
  EXPECT_THAT(EventIds(Read(Plan())), ElementsAre("t/0/5", "t/0/9"));
  standing_ = StandingAfter(standing_, Plan());
  EXPECT_TRUE(Plan().empty());
}

TEST_F(PassInputTest, RowsWithoutCoordinatesAreCountedOnce) {
  bronze_.Append(Rows("t", 0, 0, 10));
  bronze_.AppendForeign({{"", 0, 1}, {"", 0, 2}, {"", 0, 4}});
  EXPECT_EQ(0, Read(Plan(5)).without_coordinates);
  const PassRows rows = Read(Plan());
  EXPECT_EQ(3, rows.without_coordinates);
  EXPECT_EQ(EventIds(Rows("t", 0, 0, 10)), EventIds(rows));
  standing_ = StandingAfter(standing_, Plan());
  bronze_.Append(Rows("t", 0, 10, 12));
  EXPECT_EQ(0, Read(Plan()).without_coordinates);
}

TEST_F(PassInputTest, MoreBytesThanAllowedAreNotKept) {
  bronze_.Append(Rows("t", 0, 0, 1000));
  const ReadLimits limits{.bytes = 10'000};
  EXPECT_FALSE(ReadPassRows(bronze_.table(), Plan(), limits, &stats_)->has_value());
  EXPECT_TRUE(ReadPassRows(bronze_.table(), Plan(100), limits, &stats_)->has_value());
}

TEST_F(PassInputTest, OfALargeFileOnlyRowGroupsWithRowsOfThePassAreRead) {
  // Partition 1 is far behind, so that the offsets of every row group enclose those of the pass.
  for (int64_t i = 0; i < 10; ++i) {
    std::vector<BronzeRow> rows;
    for (int64_t offset = 10 * i; offset < 10 * i + 10; ++offset) {
      rows.push_back({"t", 0, 1000 + offset});
      rows.push_back({"t", 1, offset});
    }
    rows.push_back({"", 0, i});
    bronze_.Append(rows);
  }
  bronze_.Rewrite(bronze_.Files(), /*data_change=*/false, /*vacuums=*/true);
  standing_.ends = {{{"t", 0}, 1050}, {{"t", 1}, 50}};
  const PassPlan plan = Plan(20);
  EXPECT_EQ(20, ReadPassRows(bronze_.table(), plan, {}, &stats_).ValueOrDie()->rows->num_rows());
  EXPECT_EQ(210, stats_.rows_read);
  stats_ = {};
  const ReadLimits limits{.small_file_bytes = 0};
  const auto rows = ReadPassRows(bronze_.table(), plan, limits, &stats_).ValueOrDie();
  EXPECT_EQ(20, rows->rows->num_rows());
  EXPECT_EQ(21, stats_.rows_read);
  EXPECT_EQ(10,
            ReadPassRows(bronze_.table(), Plan(), limits, &stats_)->value().without_coordinates);
}

TEST_F(PassInputTest, AFileThatWasCompactedMeanwhileIsReadWhereItsRowsAre) {
  bronze_.Append(Rows("t", 0, 0, 10));
  const PassPlan plan = Plan();
  // This reader does not know yet.
  const auto reader = lake::Table::Open(bronze_.store(), testing::kBronze).ValueOrDie();
  bronze_.Rewrite(bronze_.Files(), /*data_change=*/false, /*vacuums=*/true);
  const auto rows = ReadPassRows(reader.get(), plan, {}, &stats_);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(EventIds(Rows("t", 0, 0, 10)), EventIds(**rows));
  EXPECT_EQ(1, stats_.refreshes);
}

TEST_F(PassInputTest, AMissingLiveFileIsNamed) {
  bronze_.Append({{"t", 0, 0}});
  const std::string path = bronze_.Files()[0].path;
  ASSERT_TRUE(bronze_.store()->inner()->Delete("bronze-events/" + path).ok());
  const Status status = ReadPassRows(bronze_.table(), Plan(), {}, &stats_).status();
  EXPECT_EQ(ErrorKind::kGone, KindOf(status));
  EXPECT_THAT(status.message(), HasSubstr(path + " is missing although version 1 names it"));
}

TEST_F(PassInputTest, APlanOfANewerBronzeIsReadThere) {
  const auto reader = lake::Table::Open(bronze_.store(), testing::kBronze).ValueOrDie();
  bronze_.Append(Rows("t", 0, 0, 10));
  const auto rows = ReadPassRows(reader.get(), Plan(), {}, &stats_);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(10, (*rows)->rows->num_rows());
  PassPlan beyond = Plan();
  beyond.ranges[{"t", 0}].end = 11;
  EXPECT_THAT(ReadPassRows(reader.get(), beyond, {}, &stats_).status().message(),
              HasSubstr("bronze-events ends before offset 11 of partition 0 of topic id t"));
}

}  // namespace
}  // namespace shopstream::refine
