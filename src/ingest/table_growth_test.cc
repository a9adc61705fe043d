#include "ingest/table_growth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/testing.h"
#include "simulate/memory_store.h"
#include "tables/names.h"

namespace shopstream::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Layout = std::shared_ptr<const BronzeLayout>;

Layout LayoutOf(const std::string& schema, const LayoutOptions& options = {}) {
  return std::make_shared<const BronzeLayout>(
      *BronzeLayout::Make(*avro::Schema::Parse(schema), options));
}

// A Bronze table that grows by commits.
class TableGrowthTest : public ::testing::Test {
 protected:
  void Create(const Layout& layout) { table_ = *lake::Table::OpenOrCreate(&store_, layout->table); }
  const lake::Snapshot& Now() { return *(snapshot_ = table_->snapshot()); }
  GrowthPlan Plan(const Layout& rows, const std::vector<std::string>& values = {}) {
    const auto plan = PlanGrowth(Now(), rows, values);
    EXPECT_TRUE(plan.ok()) << plan.status();
    return plan.ValueOr(GrowthPlan{});
  }
  void Apply(const lake::TableGrowth& growth) {
    lake::Changes changes;
    changes.growth = growth;
    const auto result = table_->Commit(lake::Unconditionally(std::move(changes)),
                                       BootClock::now() + Millis{10'000});
    EXPECT_EQ(lake::CommitOutcome::kCommitted, result->outcome);
  }

  const Layout event_ = testing::EventLayout();
  simulate::MemoryStore store_;
  std::unique_ptr<lake::Table> table_;
  std::shared_ptr<const lake::Snapshot> snapshot_;
};

TEST_F(TableGrowthTest, ATableRemembersTheSchemaOfItsRowsAndGrowsByTheirFields) {
  Create(event_);
  const Layout wider = LayoutOf(testing::EventWith("left", "string"));
  const GrowthPlan plan = Plan(wider);
  ASSERT_TRUE(plan.growth) << plan.conflict;
  EXPECT_GE(plan.growth->columns->GetFieldIndex("left"), 0);
  Apply(*plan.growth);
  EXPECT_GE(Now().schema()->GetFieldIndex("left"), 0);
  const TableMemory memory = *ReadTableMemory(Now(), {});
  ASSERT_TRUE(memory.reader_schema);
  EXPECT_GE((*LayoutOf(memory, event_))->table.schema->GetFieldIndex("left"), 0);
}

TEST_F(TableGrowthTest, FieldsThatTwoWritersAddAreMerged) {
  Create(event_);
  Apply(*Plan(LayoutOf(testing::EventWith("left", "string"))).growth);
  const GrowthPlan plan = Plan(LayoutOf(testing::EventWith("right", "long")));
  ASSERT_TRUE(plan.growth) << plan.conflict;
  EXPECT_GE(plan.growth->columns->GetFieldIndex("left"), 0);
  EXPECT_GE(plan.growth->columns->GetFieldIndex("right"), 0);
}

TEST_F(TableGrowthTest, RowsThatGiveAColumnAnotherTypeDoNotFit) {
  Create(event_);
  Apply(*Plan(LayoutOf(testing::EventWith("left", "string"))).growth);
  const GrowthPlan plan = Plan(LayoutOf(testing::EventWith("left", "long")));
  EXPECT_FALSE(plan.growth);
  EXPECT_THAT(plan.conflict, HasSubstr("TYPE_MISMATCH"));
}

TEST_F(TableGrowthTest, AColumnThatIsNotInTheTableAnyMoreIsAnError) {
  Create(event_);
  const Layout wider = LayoutOf(testing::EventWith("left", "string"));
  // The property describes a column that the table does not have.
  Apply({Now().schema(), {{tables::kReaderSchemaProperty, wider->reader_schema.text()}}});
  const Status status = PlanGrowth(Now(), event_, {}).status();
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_THAT(status.message(), HasSubstr("another writer changed the table's columns"));
}

TEST_F(TableGrowthTest, NewPartitionValuesAreAddedToTheTablesList) {
  LayoutOptions any;
  any.partition_values = {};
  any.max_partition_values = 3;
  const Layout layout = testing::EventLayout(any);
  Create(layout);
  Apply(*Plan(layout, {"US", ""}).growth);
  EXPECT_THAT(ReadTableMemory(Now(), any)->partition_values, ElementsAre("US"));
  Apply(*Plan(layout, {"EU", "US", "MARS"}).growth);
  EXPECT_THAT(ReadTableMemory(Now(), any)->partition_values, ElementsAre("US", "EU", "MARS"));
  EXPECT_FALSE(Plan(layout, {"VENUS"}).growth) << "together they exceed the bound";
  EXPECT_TRUE(Plan(layout, {"EU"}).growth);
}

TEST_F(TableGrowthTest, ADamagedListOfPartitionValuesIsAnError) {
  LayoutOptions any;
  any.partition_values = {};
  Create(testing::EventLayout(any));
  Apply({Now().schema(), {{tables::kPartitionValuesProperty, "US, EU"}}});
  EXPECT_THAT(ReadTableMemory(Now(), any).status().message(),
              HasSubstr(tables::kPartitionValuesProperty));
}

}  // namespace
}  // namespace shopstream::ingest
