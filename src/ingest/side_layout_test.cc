#include "ingest/side_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "ingest/testing.h"
#include "simulate/memory_store.h"
#include "tables/names.h"

namespace shopstream::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

avro::Schema SideType(const std::string& name, const std::string& fields) {
  return *avro::Schema::Parse(R"({"type": "record", "name": ")" + name +
                              R"(", "fields": [{"name": "id", "type": "long"})" + fields + "]}");
}
const char kRegion[] = R"(, {"name": "region", "type": "string"})";
const char kTime[] =
    R"(, {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}})";

// A version of a table with this layout.
std::shared_ptr<const lake::Snapshot> TableWith(const BronzeLayout& layout) {
  static simulate::MemoryStore store;
  static int tables = 0;
  lake::TableSpec spec = layout.table;
  spec.path += std::to_string(++tables);
  return (*lake::Table::OpenOrCreate(&store, spec))->snapshot();
}

TEST(SideLayoutTest, ATypeIsBronzesByItsFullNameOrAnAlias) {
  const auto bronze = *avro::Schema::Parse(
      R"({"type": "record", "name": "shop.Sale", "aliases": ["Purchase"], "fields": []})");
  EXPECT_TRUE(IsBronzesType(bronze, SideType("shop.Sale", "")));
  EXPECT_TRUE(IsBronzesType(bronze, SideType("shop.Purchase", "")));
  EXPECT_FALSE(IsBronzesType(bronze, SideType("old.Sale", "")));
  EXPECT_FALSE(IsBronzesType(bronze, SideType("shop.Refund", "")));
  EXPECT_TRUE(IsBronzesType(bronze, *avro::Schema::Parse("\"long\""))) << "no table can hold it";
}

TEST(SideLayoutTest, FieldsThatATypeLacksAreLeftOut) {
  const LayoutOptions options;  // Partitioned by region, with a list; timestamp.
  const auto whole = *NewSideLayout(options, SideType("shop.Signup", std::string(kRegion) + kTime));
  EXPECT_EQ("bronze-events-shop-signup", whole->table.path);
  EXPECT_THAT(whole->table.partition_columns, ElementsAre("region", "date"));
  EXPECT_EQ(options.partition_values, whole->options.partition_values);
  EXPECT_EQ("timestamp", whole->event_time.path);

  const auto bare = *NewSideLayout(options, SideType("Refund", ""));
  EXPECT_THAT(bare->table.partition_columns, ElementsAre("date"));
  EXPECT_THAT(bare->options.partition_values, IsEmpty());
  EXPECT_EQ(EventTime::Form::kKafka, bare->event_time.form);

  LayoutOptions two = options;
  two.partition_field = {"region", "store"};
  two.partition_values = {};
  const auto one = *NewSideLayout(two, SideType("Refund", kRegion));
  EXPECT_THAT(one->table.partition_columns, ElementsAre("region", "date"));
}

TEST(SideLayoutTest, AFieldThatCannotBeUsedIsAnError) {
  const auto refused =
      NewSideLayout({}, SideType("Refund", R"(, {"name": "timestamp", "type": "long"})"));
  EXPECT_THAT(refused.status().message(), HasSubstr("ingest.event_time_unit"));
}

// Its files are partitioned as before, and its dates keep their meaning.
TEST(SideLayoutTest, ATableKeepsThePlacesThatItWasCreatedWith) {
  const LayoutOptions options;
  const auto bare = *NewSideLayout(options, SideType("Refund", ""));
  const auto grown = *BronzeLayout::Grow(bare, SideType("Refund", std::string(kRegion) + kTime));
  const auto stored = *StoredSideLayout(options, bare->table.path, *TableWith(*grown));
  EXPECT_TRUE(SamePlaces(bare->options, stored->options));
  EXPECT_EQ(5u, stored->column_names.size() + stored->table.partition_columns.size() + 1);

  // A consumer that sees the newer version first would partition it by region.
  const auto newer = *NewSideLayout(options, SideType("Refund", std::string(kRegion) + kTime));
  EXPECT_FALSE(SamePlaces(newer->options, stored->options));
  const GrowthPlan plan = *PlanSideGrowth(options, *TableWith(*bare), newer, {});
  EXPECT_THAT(plan.conflict, HasSubstr("another layout"));
  EXPECT_TRUE(PlanSideGrowth(options, *TableWith(*bare), grown, {})->growth);
}

TEST(SideLayoutTest, ATableWithoutItsSchemaIsAnError) {
  auto layout = **NewSideLayout({}, SideType("Refund", ""));
  layout.table.properties.erase(tables::kReaderSchemaProperty);
  const auto stored = StoredSideLayout({}, layout.table.path, *TableWith(layout));
  EXPECT_THAT(stored.status().message(), HasSubstr(tables::kReaderSchemaProperty));
}

}  // namespace
}  // namespace shopstream::ingest
