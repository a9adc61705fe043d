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
  GrowthPlan Plan(const Layout& rows, const std::vector<std::vector<std::string>>& values = {}) {
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

TEST_F(TableGrowthTest, AWideDecimalThatAnotherSettingStoredIsNoForeignChange) {
  std::string added = testing::EventWith("price", "bytes");
  const std::string plain = R"("type": "bytes")";
  added.replace(
      added.find(plain), plain.size(),
      R"("type": {"type": "bytes", "logicalType": "decimal", "precision": 60, "scale": 2})");
  LayoutOptions other;
  other.columns.other = avro::WideDecimal::kDouble;
  const Layout as_double = LayoutOf(testing::kEventSchema, other);
  Create(event_);
  Apply(*Plan(LayoutOf(added)).growth);
  for (const Layout& rows : {as_double, LayoutOf(added, other)}) {
    const Status status = PlanGrowth(Now(), rows, {}).status();
    EXPECT_TRUE(status.IsInvalid());
    EXPECT_THAT(status.message(), HasSubstr("has price as text, but ingest.wide_decimals sets it "
                                            "to double: change it back"));
  }
}

TEST_F(TableGrowthTest, NewPartitionValuesAreAddedToTheTablesList) {
  LayoutOptions any;
  any.partition_values = {};
  any.max_partition_values = 3;
  const Layout layout = testing::EventLayout(any);
  Create(layout);
  Apply(*Plan(layout, {{"US"}, {""}}).growth);
  EXPECT_THAT(ReadTableMemory(Now(), any)->partition_values, ElementsAre(ElementsAre("US")));
  Apply(*Plan(layout, {{"EU"}, {"US"}, {"MARS"}}).growth);
  EXPECT_THAT(ReadTableMemory(Now(), any)->partition_values,
              ElementsAre(ElementsAre("US"), ElementsAre("EU"), ElementsAre("MARS")));
  EXPECT_FALSE(Plan(layout, {{"VENUS"}}).growth) << "together they exceed the bound";
  EXPECT_TRUE(Plan(layout, {{"EU"}}).growth);
}

TEST_F(TableGrowthTest, ValuesOfSeveralFieldsAreListedTogether) {
  LayoutOptions any;
  any.partition_field = {"region", "id"};
  any.partition_values = {};
  const Layout layout = testing::EventLayout(any);
  Create(layout);
  Apply(*Plan(layout, {{"US", "1"}, {"", ""}, {"", "2"}}).growth);
  EXPECT_EQ(R"([["US","1"],[null,"2"]])", Now().properties().at(tables::kPartitionValuesProperty));
  EXPECT_THAT(ReadTableMemory(Now(), any)->partition_values,
              ElementsAre(ElementsAre("US", "1"), ElementsAre("", "2")));
  any.partition_field = {"region"};
  EXPECT_THAT(ReadTableMemory(Now(), any).status().message(), HasSubstr("partition columns"));
}

// Consumers that met `date` and `date_` in another order: each gave the first one its column.
TEST_F(TableGrowthTest, AColumnThatHoldsAnotherFieldIsAConflict) {
  const auto event_with = [](const std::string& field) {
    return LayoutOf(testing::EventWith(field, "string"));
  };
  Create(event_with("date_"));
  const GrowthPlan plan = Plan(event_with("date"));
  EXPECT_FALSE(plan.growth);
  EXPECT_THAT(plan.conflict,
              HasSubstr("field date is column date_ in one layout, and column date__"));
  EXPECT_THAT(BronzeLayout::Grow(event_with("date_"), event_with("date")->reader_schema)
                  .ValueOrDie()
                  ->column_names,
              ElementsAre("id", "region", "timestamp", "date_", "date__"));
}

TEST_F(TableGrowthTest, ATableOfAnEarlierVersionRecordsItsLayoutWhenItGrowsAndNeverAgain) {
  lake::TableSpec spec = event_->table;
  spec.properties.erase(tables::kLayoutProperty);
  table_ = *lake::Table::OpenOrCreate(&store_, spec);
  EXPECT_TRUE(Plan(event_).growth->properties.empty());
  Apply(*Plan(LayoutOf(testing::EventWith("left", "string"))).growth);
  const std::string recorded = Now().properties().at(tables::kLayoutProperty);
  LayoutOptions other;
  other.event_time_field = "";
  Apply(*Plan(LayoutOf(testing::EventWith("right", "string"), other)).growth);
  EXPECT_EQ(recorded, Now().properties().at(tables::kLayoutProperty));
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
