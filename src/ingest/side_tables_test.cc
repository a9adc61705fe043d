// A topic with several record types, each in its own table.

#include "ingest/side_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "ingest/loop_testing.h"
#include "ingest/quarantine_replay.h"
#include "tables/record_types.h"

namespace shopstream::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kOct24;
using ::testing::Pair;

constexpr int32_t kRefundId = 21, kRefundWithSumId = 22, kOtherCaseId = 23;
constexpr char kRefunds[] = "bronze-events-shop-refund";

std::string RefundSchema(const std::string& name, const std::string& more = "") {
  return R"({"type": "record", "name": ")" + name +
         R"(", "fields": [{"name": "id", "type": "long"})" + more + "]}";
}

class SideTablesTest : public testing::LoopTest {
 protected:
  SideTablesTest() {
    layout_.side_tables = true;
    registry_.RegisterElsewhere(kRefundId, RefundSchema("shop.Refund"));
    registry_.RegisterElsewhere(
        kRefundWithSumId, RefundSchema("shop.Refund", R"(, {"name": "sum", "type": "long"})"));
    registry_.RegisterElsewhere(kOtherCaseId, RefundSchema("Shop.refund"));
  }

  void ProduceRefund(int64_t id, int32_t schema_id = kRefundId) {
    std::string value = {0, 0, 0, 0, static_cast<char>(schema_id)};
    testing::AppendLong(id, &value);
    if (schema_id == kRefundWithSumId) testing::AppendLong(id * 2, &value);
    kafka_.Produce(0, std::nullopt, std::move(value), kOct24 + id, /*open=*/false);
  }

  std::shared_ptr<const lake::Snapshot> Newest(const std::string& path) {
    const auto look = store_.OpenForChecks();
    return (*lake::Table::Open(look.get(), path))->snapshot();
  }

  // Runs a replay as its own program.
  ReplaySummary Replay() {
    ReplaySummary summary;
    const int program = scheduler_.StartProgram("replay", [&] {
      const auto store = store_.Open();
      const auto replayed =
          ReplayQuarantine(store.get(), &registry_, testing::kTopic, layout_, {}, {});
      EXPECT_TRUE(replayed.ok()) << replayed.status();
      if (replayed.ok()) summary = *replayed;
    });
    EXPECT_TRUE(scheduler_.Run([&] { return scheduler_.ended(program); },
                               scheduler_.time() + Millis{120'000}));
    return summary;
  }
};

TEST_F(SideTablesTest, EachTypeHasItsOwnTableWhichGrows) {
  Produce(0, 3);
  ProduceRefund(1);
  Produce(0, 1);
  ProduceRefund(2);
  ASSERT_TRUE(CatchUp()->status.ok());
  EXPECT_EQ(4, Rows());
  EXPECT_EQ(2, Rows(kRefunds));
  EXPECT_EQ(0, Rows(tables::kQuarantinePath));
  EXPECT_THAT(*tables::ReadRecordTypes(*Newest(tables::kBronzePath)),
              ElementsAre(Pair("shop.Refund", kRefunds)));

  ProduceRefund(3, kRefundWithSumId);
  Ingest* const second = CatchUp();
  ASSERT_TRUE(second->status.ok()) << second->status;
  EXPECT_EQ(1, second->stats.rows());
  EXPECT_EQ(4, Rows());
  EXPECT_EQ(3, Rows(kRefunds));
  EXPECT_GE(Newest(kRefunds)->schema()->GetFieldIndex("sum"), 0);
  EXPECT_LT(Newest(tables::kBronzePath)->schema()->GetFieldIndex("sum"), 0);
  EXPECT_EQ(7, Txn(0));
}

TEST_F(SideTablesTest, WhatWasQuarantinedBeforeIsReplayedIntoItsTableOnce) {
  layout_.side_tables = false;
  ProduceRefund(1);
  Produce(0, 2);
  ProduceRefund(2);
  ASSERT_TRUE(CatchUp()->status.ok());
  EXPECT_EQ(2, Rows(tables::kQuarantinePath));

  layout_.side_tables = true;
  EXPECT_EQ(2, Replay().replayed);
  EXPECT_EQ(2, Rows(kRefunds));
  EXPECT_EQ(2, Rows());
  EXPECT_EQ(2, Replay().already_there);
  ProduceRefund(3);
  ASSERT_TRUE(CatchUp()->status.ok());
  EXPECT_EQ(3, Rows(kRefunds));
}

TEST_F(SideTablesTest, GoingBackToOneTypeIsRefusedOnceThereAreSideTables) {
  Produce(0, 1);
  ProduceRefund(1);
  ASSERT_TRUE(CatchUp()->status.ok());
  layout_.side_tables = false;
  EXPECT_THAT(CatchUp()->status.message(),
              AllOf(HasSubstr("shop.Refund (bronze-events-shop-refund)"), HasSubstr("to each")));
}

TEST_F(SideTablesTest, TypesWhoseTablesWouldHaveTheSameNameAreNotMixed) {
  ProduceRefund(1);
  ProduceRefund(2, kOtherCaseId);
  Ingest* const ingest = CatchUp();
  ASSERT_TRUE(ingest->status.ok()) << ingest->status;
  EXPECT_EQ(1, Rows(kRefunds));
  EXPECT_THAT(ingest->stats.quarantined_by_cause(), ElementsAre(Pair("incompatible_schema", 1)));
}

TEST_F(SideTablesTest, AnotherProgramsTableStopsIngest) {
  {
    const auto look = store_.OpenForChecks();
    auto spec = testing::EventLayout()->table;
    spec.path = kRefunds;
    ASSERT_TRUE(lake::Table::Create(look.get(), spec).ok());
  }
  Produce(0, 1);
  ProduceRefund(1);
  EXPECT_THAT(CatchUp()->status.message(), HasSubstr("is not a side table of bronze-events"));
}

// Both have committed nothing of the other's when they find the type.
TEST_F(SideTablesTest, TwoConsumersThatFindATypeAtTheSameTimeShareItsTable) {
  Start();
  Start();
  Run(Millis{8000});
  for (int64_t id = 1; id <= 20; ++id) ProduceRefund(id);
  for (int64_t id = 21; id <= 40; ++id) {
    std::string value = {0, 0, 0, 0, static_cast<char>(kRefundId)};
    testing::AppendLong(id, &value);
    kafka_.Produce(1, std::nullopt, std::move(value), kOct24 + id, /*open=*/false);
  }
  Run(Millis{20'000});
  EXPECT_EQ(40, Rows(kRefunds));
  EXPECT_EQ(0, Rows(tables::kQuarantinePath));
}

}  // namespace
}  // namespace shopstream::ingest
