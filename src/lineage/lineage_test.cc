#include "lineage/lineage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/json.h"
#include "lineage/testing.h"

namespace shopstream::lineage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kOct24;
using ::testing::SizeIs;

class RecordLineageTest : public testing::LineageTest {
 protected:
  std::vector<RecordLineage> TraceId(const std::string& event_id) {
    auto records = TraceEvent(store_->inner(), config_, event_id, options_);
    EXPECT_TRUE(records.ok()) << records.status();
    return *records;
  }
  // "gold/revenue_hourly orders 1 of 2" for each column that adds up.
  static std::vector<std::string> Shares(const RecordLineage& record) {
    std::vector<std::string> lines;
    for (const GoldCell& cell : record.gold) {
      for (const CellColumn& column : cell.columns) {
        if (column.kind != refine::GoldKind::kAdd) continue;
        lines.push_back(cell.table + " " + column.name + " " + column.share + " of " +
                        column.value);
      }
    }
    return lines;
  }
};

TEST_F(RecordLineageTest, APurchaseIsFollowedFromItsOffsetToItsCellsInGold) {
  Ingest({{.id = "a", .offset = 0, .amount = 30}, {.id = "b", .offset = 1, .region = "US"}});
  Ingest({{.id = "c", .offset = 2, .quantity = 2, .amount = 10}});
  MustRefine();
  const RecordLineage record = Trace(2);
  EXPECT_EQ(Arrival::kInLake, record.arrival);
  EXPECT_EQ("purchases", record.topic);
  EXPECT_EQ(true, record.in_kafka);
  ASSERT_TRUE(record.bronze);
  EXPECT_THAT(record.bronze->place.path, HasSubstr("region=EU/date=2025-10-24/"));
  EXPECT_EQ(1, record.bronze->place.file_rows);
  ASSERT_TRUE(record.added.search.commit);
  EXPECT_EQ(2, record.added.search.commit->version);
  EXPECT_EQ(false, record.added.moved);
  EXPECT_EQ(Verdict::kSilver, record.verdict);
  EXPECT_EQ(1, record.pass);
  EXPECT_THAT(
      Shares(record),
      ElementsAre(
          "gold/customer_daily orders 1 of 3", "gold/customer_daily spend_usd 10.00 of 50.00",
          "gold/product_daily orders 1 of 3", "gold/product_daily units 2 of 4",
          "gold/product_daily revenue_usd 10.00 of 50.00", "gold/quality_daily bronze_rows 1 of 3",
          "gold/quality_daily silver_rows 1 of 3", "gold/quality_daily rejected_rows 0 of 0",
          "gold/quality_daily duplicate_rows 0 of 0", "gold/quality_daily late_rows 0 of 0",
          "gold/revenue_hourly orders 1 of 2", "gold/revenue_hourly units 2 of 3",
          "gold/revenue_hourly revenue_usd 10.00 of 40.00"));
  const auto json = ToJson(record);
  EXPECT_EQ("c", json["bronze"]["row"]["event_id"]);
  EXPECT_EQ("2025-10-24", json["bronze"]["row"]["date"]);
  EXPECT_EQ(20, json["gold"][0]["columns"][1]["share_percent"]);
}

TEST_F(RecordLineageTest, ARowThatACompactionMovedIsFoundWithBothCommits) {
  Ingest({{.id = "a", .offset = 0}, {.id = "b", .offset = 1}});
  Ingest({{.id = "c", .offset = 2}, {.id = "d", .offset = 3}, {.id = "e", .offset = 4}});
  Compact();
  const RecordLineage record = Trace(3);
  ASSERT_TRUE(record.bronze);
  EXPECT_EQ("d", ToJson(record)["bronze"]["row"]["event_id"]);
  EXPECT_EQ(5, record.bronze->place.file_rows);
  EXPECT_EQ(true, record.added.moved);
  EXPECT_EQ(2, record.added.search.commit->version);
  ASSERT_TRUE(record.moved.commit);
  EXPECT_EQ(3, record.moved.commit->version);
  EXPECT_EQ("OPTIMIZE", record.moved.commit->operation);
  EXPECT_EQ(Verdict::kNoRefine, record.verdict);
}

TEST_F(RecordLineageTest, RejectsHaveTheirReasonsAndDuplicatesTheirOriginal) {
  Ingest({{.id = "a", .offset = 0}, {.id = "b", .offset = 1, .amount = -1}});
  MustRefine();
  Ingest({{.id = "a", .offset = 5, .partition = 1}});
  MustRefine();
  const RecordLineage rejected = Trace(1);
  EXPECT_EQ(Verdict::kRejected, rejected.verdict);
  EXPECT_THAT(rejected.reasons, ElementsAre("positive_amount"));
  EXPECT_THAT(rejected.gold, SizeIs(1));  // Only the books count it.
  const RecordLineage copy = Trace(5, 1);
  EXPECT_EQ(Verdict::kDuplicate, copy.verdict);
  ASSERT_THAT(copy.original, SizeIs(1));
  EXPECT_EQ(0, ToJson(copy)["refined"]["duplicate_of"]["row"]["kafka_offset"]);
  EXPECT_EQ("gold/quality_daily", copy.gold.front().table);
}

TEST_F(RecordLineageTest, AnEventIdFindsAllOfItsCopies) {
  Ingest({{.id = "a", .offset = 0}, {.id = "b", .offset = 1}});
  Ingest({{.id = "a", .offset = 2}});
  MustRefine();
  const auto records = TraceId("a");
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_EQ(2, records[0].key.offset + records[1].key.offset);
  EXPECT_THAT(TraceId("x"), IsEmpty());
  options_.stop = [] { return true; };
  EXPECT_TRUE(TraceEvent(store_->inner(), config_, "a", options_).status().IsCancelled());
}

TEST_F(RecordLineageTest, WhatNoTableHasIsExplained) {
  Ingest({{.id = "a", .offset = 0}});
  MustRefine();
  Ingest({{.id = "b", .offset = 7}});
  EXPECT_EQ(Verdict::kAwaited, Trace(7).verdict);
  EXPECT_THAT(Trace(7).verdict_reason, HasSubstr("refine is at offset 1"));
  EXPECT_EQ(Arrival::kNoRecord, Trace(3).arrival);
  EXPECT_EQ(Arrival::kAwaited, Trace(8).arrival);
  EXPECT_EQ(Arrival::kNotProduced, Trace(1000).arrival);
  EXPECT_EQ(Arrival::kAwaited, Trace(1, 2).arrival);
}

TEST_F(RecordLineageTest, ATopicThatWasCreatedAgainHasARecordOfEach) {
  Ingest({{.id = "a", .offset = 0}});
  Ingest({{.id = "b", .offset = 0, .topic_id = "topic-id-b"}});
  const auto records = *TraceRecord(store_->inner(), config_, 0, 0, options_);
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_EQ(true, records[0].in_kafka);
  EXPECT_EQ(false, records[1].in_kafka);
}

TEST_F(RecordLineageTest, WithoutBronzeTheErrorSaysSo) {
  config_.lake.bronze_table = "bronze-orders";
  const auto records = TraceRecord(store_->inner(), config_, 0, 0, options_);
  EXPECT_TRUE(records.status().IsKeyError()) << records.status();
  EXPECT_THAT(records.status().message(), HasSubstr("its tables are bronze-events"));
}

}  // namespace
}  // namespace shopstream::lineage
